// A React page over a real core, on React's own schedule: nothing is mocked or hurried.
import { Component, type ReactElement, type ReactNode, Profiler, StrictMode } from "react";
import { create, type ReactTestRenderer } from "react-test-renderer";

import { type SafeScan } from "react-native-safescan";
import { SafeScanProvider } from "react-native-safescan/react";

import { first } from "./harness.js";

// React Native's tests use this renderer: it asks to be told that it is theirs.
Object.assign(globalThis, { IS_REACT_NATIVE_TEST_ENVIRONMENT: true });

/** Its types lack this. */
interface Renderer extends ReactTestRenderer {
    unstable_flushSync<T>(action: () => T): T;
}

/** A page, and what its components noted. */
export class Page {
    readonly #notes = new Map<string, unknown[]>();
    #looks: (() => void)[] = [];
    #renderer: Renderer | undefined;

    /** To be called while rendering: what a component shows. */
    note(component: string, shown: unknown): void {
        this.#notes.set(component, [...this.notes(component), shown]);
    }

    /** What a component showed, a note for each time that it was rendered. */
    notes<T>(component: string): T[] {
        return (this.#notes.get(component) ?? []) as T[];
    }

    /** What a component showed last. */
    last<T>(component: string): T {
        return this.notes<T>(component).at(-1) as T;
    }

    show(children: ReactNode, { isStrict = false } = {}): void {
        const page = (
            <Profiler id="page" onRender={() => this.#lookAgain()}>
                {children}
            </Profiler>
        );
        const whole = isStrict ? <StrictMode>{page}</StrictMode> : page;
        if (this.#renderer) this.#renderer.update(whole);
        else this.#renderer = create(whole) as Renderer;
    }

    /** The page's text. */
    get text(): string {
        const text = (node: unknown): string => {
            if (Array.isArray(node)) return node.map(text).join("");
            return typeof node === "string" ? node : node ? text((node as { children?: unknown }).children ?? "") : "";
        };
        return text(this.#renderer?.toJSON());
    }

    /** Does something, and renders what it changed before anything else can happen. */
    atOnce<T>(action: () => T): T {
        if (!this.#renderer) throw new Error("nothing is shown yet");
        return this.#renderer.unstable_flushSync(action);
    }

    /** Waits until what is shown is as wanted. */
    async until(isAsWanted: () => boolean): Promise<void> {
        // React's own waiting does not keep Node running.
        const alive = setInterval(() => {}, 60_000);
        try {
            while (!isAsWanted()) await new Promise<void>((resolve) => this.#looks.push(resolve));
        } finally {
            clearInterval(alive);
        }
    }

    async leave(): Promise<void> {
        this.#renderer?.unmount();
        await turns();
    }

    #lookAgain(): void {
        // After the commit, in which this is called.
        queueMicrotask(() => {
            for (const look of this.#looks.splice(0)) look();
        });
    }
}

export function within(core: SafeScan, children: ReactNode): ReactElement {
    return <SafeScanProvider core={core}>{children}</SafeScanProvider>;
}

/** Lets everything happen that what has happened in the core so far leads to here. */
export async function settled(core: SafeScan): Promise<void> {
    // A loop gets its events after those that began before it.
    const event = first(core.events());
    await core.kv.set("settled", "");
    await event;
    await turns();
}

/** Lets React do what it has put off: it works in Node's immediates. */
async function turns(): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Shows an error in the place of what failed. */
export class Boundary extends Component<{ readonly children: ReactNode }, { readonly error?: Error }> {
    override readonly state: { readonly error?: Error } = {};

    static getDerivedStateFromError(error: Error): { readonly error: Error } {
        return { error };
    }

    override render(): ReactNode {
        return this.state.error ? `failed: ${this.state.error.message}` : this.props.children;
    }
}
