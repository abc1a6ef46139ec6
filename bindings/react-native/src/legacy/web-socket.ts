import { connected } from "../connection.js";
import type { ServiceHealth } from "../generated/index.js";
import type { SafeScan } from "../safe-scan.js";
import { healthOf, isHealthy } from "./health.js";

/** How long `connect` waits for the link to come up. */
const PATIENCE_MS = 10_000;

/** The live link to the server. It comes up by itself, never gives up, and makes good for what it missed. */
export class WebSocketService {
  private static instance: WebSocketService;

  private constructor() {}

  static getInstance(): WebSocketService {
    return (WebSocketService.instance ??= new WebSocketService());
  }

  /** Whether the link is up, as soon as that is known, within ten seconds. Nothing depends on this call. */
  async connect(): Promise<boolean> {
    try {
      const core = await connected();
      return await decided(core);
    } catch {
      return false;
    }
  }

  /** Whether the link is up: the server has answered, not only the socket. */
  isConnected(): boolean {
    return isHealthy("Realtime");
  }
}

function decided(core: SafeScan): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (up: boolean) => {
      stop();
      clearTimeout(timer);
      resolve(up);
    };
    const look = (health: ServiceHealth | undefined) => {
      if (health && health.cause !== "NotTried") settle(health.state === "Healthy");
    };
    const stop = core.on("HealthChanged", ({ health }) => {
      if (health.service === "Realtime") look(health);
    });
    const timer = setTimeout(() => settle(false), PATIENCE_MS);
    look(healthOf("Realtime"));
  });
}
