// Tests in two lives, as test/support/lives.ts says. Here the first life ends as it does in a reload of an app.
import { host } from "./host.js";
import { type Outcome, run, take } from "./test.js";

type After = (t: any, directory: string) => Promise<void>;
interface Life {
  readonly name: string;
  readonly before: (directory: string) => Promise<void>;
  readonly after: After;
}

/** What a life leaves to the next. */
interface State {
  readonly outcome: Outcome;
  readonly life: number;
  readonly directory: string;
}

const all: Life[] = [];

export function lives(_file: string, name: string, before: Life["before"], after: After): void {
  all.push({ name, before, after });
}

/** Runs everything: at first the tests in one life, then the others. Ends the process, or this life. */
export function main(): void {
  live().catch((error: unknown) => {
    host.print(String(error));
    host.exit(1);
  });
}

async function live(): Promise<void> {
  const state = host.state === undefined ? undefined : (JSON.parse(host.state) as State);
  const outcome = state?.outcome ?? { passed: 0, failed: 0 };
  if (state === undefined) await run(outcome);
  else await take(all[state.life]!.name, (t) => all[state.life]!.after(t, state.directory), outcome, 0);

  for (let life = (state?.life ?? -1) + 1; life < all.length; life += 1) {
    const directory = host.newDirectory();
    try {
      await all[life]!.before(directory);
    } catch (error) {
      await take(all[life]!.name, () => Promise.reject(error), outcome, 0);
      continue;
    }
    return host.reload(JSON.stringify({ outcome, life, directory } satisfies State));
  }
  host.print(`${outcome.passed} tests passed, ${outcome.failed} failed`);
  host.exit(outcome.passed > 0 && outcome.failed === 0 ? 0 : 1);
}
