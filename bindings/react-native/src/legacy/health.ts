import { present } from "../connection.js";
import type { Service, ServiceHealth } from "../generated/index.js";

/** The state of a part; nothing while no core is open. */
export function healthOf(service: Service): ServiceHealth | undefined {
  return present()
    ?.health()
    .services.find((health) => health.service === service);
}

export function isHealthy(service: Service): boolean {
  return healthOf(service)?.state === "Healthy";
}
