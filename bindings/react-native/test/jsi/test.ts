// What the tests use of Node's test runner, and the running of them: one after another, in the order of their making.
import { host } from "./host.js";

type Body = (t: Context) => unknown;

/** How long a test may take, in milliseconds: as with Node's runner. */
const LIMIT = 120_000;

const tests: { readonly name: string; readonly body: Body }[] = [];

export default function test(name: string, ...rest: [Body] | [object, Body]): void {
  tests.push({ name, body: rest[rest.length - 1] as Body });
}

/** The outcome so far, which outlives a reload. */
export interface Outcome {
  passed: number;
  failed: number;
}

class Context {
  readonly #endings: (() => unknown)[] = [];

  constructor(
    private readonly outcome: Outcome,
    private readonly nesting: number,
  ) {}

  readonly mock = {
    method: (holder: Record<string, unknown>, name: string, stand: (...args: unknown[]) => unknown) => {
      const own = holder[name];
      const calls: { arguments: unknown[] }[] = [];
      holder[name] = (...args: unknown[]) => {
        calls.push({ arguments: args });
        return stand(...args);
      };
      this.after(() => (holder[name] = own));
      return { mock: { calls } };
    },
  };

  after(ending: () => unknown): void {
    this.#endings.push(ending);
  }

  test(name: string, body: Body): Promise<boolean> {
    return take(name, body, this.outcome, this.nesting + 1);
  }

  async end(): Promise<void> {
    for (const ending of this.#endings) await ending();
  }
}

/** Runs the tests that were made. */
export async function run(outcome: Outcome): Promise<void> {
  for (const { name, body } of tests) await take(name, body, outcome, 0);
}

export async function take(name: string, body: Body, outcome: Outcome, nesting: number): Promise<boolean> {
  const failedBefore = outcome.failed;
  const context = new Context(outcome, nesting);
  let problem: { readonly error: unknown } | undefined;
  try {
    await limited(body, context);
  } catch (error) {
    problem = { error };
  }
  try {
    await context.end();
  } catch (error) {
    problem ??= { error };
  }
  const passed = problem === undefined && outcome.failed === failedBefore;
  if (passed) outcome.passed += 1;
  else outcome.failed += 1;
  host.print(`${passed ? "ok" : "FAILED"} ${nesting} ${name}`);
  if (problem) host.print(described(problem.error));
  return passed;
}

async function limited(body: Body, context: Context): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${LIMIT / 1_000} seconds`)), LIMIT);
  });
  try {
    await Promise.race([body(context), over]);
  } finally {
    clearTimeout(timer);
  }
}

function described(error: unknown): string {
  if (!(error instanceof Error)) return `    ${String(error)}`;
  return `    ${error.name}: ${error.message}\n${error.stack ?? ""}`;
}
