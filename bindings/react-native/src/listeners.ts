import type { EventPump } from "./event-pump.js";
import { invalid } from "./errors.js";
import type { CoreEvent, EventListener, EventOf, EventType, OpenOptions } from "./types.js";

type Complaint = NonNullable<OpenOptions["onListenerError"]>;

/** The app's listeners: what one throws is told to `complain`, and harms nobody else. */
export class Listeners {
  readonly #pump: EventPump;
  readonly #complain: Complaint;

  constructor(pump: EventPump, complain: Complaint = toConsole) {
    if (typeof complain !== "function") throw invalid("options.onListenerError", "is not a function");
    this.#pump = pump;
    this.#complain = complain;
  }

  /** Tells `listener` of events from now on, until the function returned is called. */
  add<Type extends EventType | "*">(type: Type, listener: EventListener<Type>): () => void {
    if (typeof type !== "string") throw invalid("type", "is not a string");
    if (typeof listener !== "function") throw invalid("listener", "is not a function");
    return this.#pump.attach({
      take: (event) => {
        if (isOf(type, event)) this.#tell(listener, event);
      },
      end() {},
    });
  }

  #tell<Type extends EventType | "*">(listener: EventListener<Type>, event: EventOf<Type>): void {
    try {
      const told = listener(event);
      if (told instanceof Promise) told.catch((error: unknown) => this.#failed(error, event));
    } catch (error) {
      this.#failed(error, event);
    }
  }

  #failed(error: unknown, event: CoreEvent): void {
    try {
      this.#complain(error, event);
    } catch {
      toConsole(error, event);
    }
  }
}

function isOf<Type extends EventType | "*">(type: Type, event: CoreEvent): event is EventOf<Type> {
  return type === "*" || event.type === type;
}

/** The type alone: an error's text, or an event, may hold what must not get into a log. */
function toConsole(_error: unknown, event: CoreEvent): void {
  console.error(`SafeScan: a listener of ${event.type} failed`);
}
