import { present } from "../connection.js";

/** Circuit breakers by name: five failures within ten seconds open one for a minute. */
export class ErrorHandlingService {
  private static instance: ErrorHandlingService;

  private constructor() {}

  static getInstance(): ErrorHandlingService {
    return (ErrorHandlingService.instance ??= new ErrorHandlingService());
  }

  /**
   * Makes the call, unless calls of this service failed too often of late: then it fails at once with
   * `CircuitOpenError`. It is `core.circuits.run`. Without an open core the call is made all the same.
   */
  async executeWithCircuitBreaker<T>(serviceName: string, operation: () => Promise<T>): Promise<T> {
    let made = false;
    const call = () => {
      made = true;
      return operation();
    };
    const core = present();
    if (!core) return call();
    try {
      return await core.circuits.run(serviceName, call);
    } catch (error) {
      if (made || (error as Error).name === "CircuitOpenError") throw error;
      return call();
    }
  }
}
