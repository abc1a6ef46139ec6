import type { UserSettings } from "../../generated/index.js";
import type { Settings } from "../../settings.js";
import type { CallOptions, SettingsUpdate } from "../../types.js";
import { flag, given, object, whole } from "./checks.js";
import type { Session } from "./session.js";

const MAX_DAYS = 36_500;

export class MemorySettings implements Pick<Settings, keyof Settings> {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  get(options?: CallOptions): Promise<UserSettings> {
    return this.#session.ask(options, () => ({ ...this.#session.contents.settings }));
  }

  update(update: SettingsUpdate, options?: CallOptions): Promise<UserSettings> {
    return this.#session.ask(options, () => {
      const { contents, events } = this.#session;
      const wanted = object("update", update);
      const boolean = (field: string) => given(wanted[field], (value) => flag(`update.${field}`, value));
      const days = (field: string) => given(wanted[field], (value) => whole(`update.${field}`, value, 0, MAX_DAYS));
      const before = contents.settings;
      contents.settings = {
        notifications: boolean("notifications") ?? before.notifications,
        autoSync: boolean("autoSync") ?? before.autoSync,
        scanRetentionDays: days("scanRetentionDays") ?? before.scanRetentionDays,
        voteRetentionDays: days("voteRetentionDays") ?? before.voteRetentionDays,
      };
      if (Object.keys(before).some((field) => wanted[field] != null)) events.emit({ type: "SettingsChanged" });
      return { ...contents.settings };
    });
  }
}
