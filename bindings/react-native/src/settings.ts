import { ask } from "./calls.js";
import type * as native from "./generated/index.js";
import * as input from "./inputs.js";
import type { CallOptions, SettingsUpdate } from "./types.js";

/** The user's settings: `core.settings`. */
export class Settings {
  readonly #core: native.SafeScan;

  /** @internal */
  constructor(core: native.SafeScan) {
    this.#core = core;
  }

  /** All settings. */
  get(options?: CallOptions): Promise<native.UserSettings> {
    return ask(() => this.#core.settings(), options);
  }

  /** Changes settings and returns them all. */
  update(update: SettingsUpdate, options?: CallOptions): Promise<native.UserSettings> {
    return ask(() => this.#core.updateSettings(input.settingsUpdate("update", update)), options);
  }
}
