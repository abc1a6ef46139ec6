import {
  createContext,
  createElement,
  Fragment,
  type ReactElement,
  type ReactNode,
  useContext,
  useEffect,
  useState,
} from "react";

import type { SafeScan } from "../safe-scan.js";

const CoreContext = createContext<SafeScan | undefined>(undefined);

/** What the provider is given. */
export interface SafeScanProviderProps {
  /**
   * The core, or the promise of it that `SafeScan.open` gave. Open it once, outside of components: the provider neither opens
   * nor shuts down.
   */
  readonly core: SafeScan | PromiseLike<SafeScan>;
  /** What is shown until the core is open. */
  readonly fallback?: ReactNode;
  /** What uses the core. */
  readonly children?: ReactNode;
}

/**
 * Gives the core to the components within. If it could not be opened, the error goes to the error boundary around.
 *
 * ```tsx
 * const core = SafeScan.open({ directory });
 * const App = () => <SafeScanProvider core={core} fallback={<Splash />}><Screens /></SafeScanProvider>;
 * ```
 */
export function SafeScanProvider({ core, fallback, children }: SafeScanProviderProps): ReactElement {
  const opened = useOpened(core);
  if (opened === undefined) return createElement(Fragment, null, fallback);
  return createElement(CoreContext.Provider, { value: opened }, children);
}

/** The core that the provider around gives. */
export function useSafeScan(): SafeScan {
  const core = useContext(CoreContext);
  if (core === undefined) throw new Error("there is no SafeScanProvider around this component");
  return core;
}

interface Settled {
  readonly promise: SafeScan | PromiseLike<SafeScan>;
  readonly core?: SafeScan;
  readonly error?: unknown;
}

function useOpened(core: SafeScan | PromiseLike<SafeScan>): SafeScan | undefined {
  const [settled, settle] = useState<Settled>();
  useEffect(() => {
    if (!isPromise(core)) return;
    let isWanted = true;
    const note = (outcome: Omit<Settled, "promise">): void => {
      if (isWanted) settle({ promise: core, ...outcome });
    };
    core.then(
      (core) => note({ core }),
      (error: unknown) => note({ error }),
    );
    return () => {
      isWanted = false;
    };
  }, [core]);
  if (!isPromise(core)) return core;
  if (settled?.promise !== core) return undefined;
  if (settled.core === undefined) throw settled.error;
  return settled.core;
}

function isPromise(core: SafeScan | PromiseLike<SafeScan>): core is PromiseLike<SafeScan> {
  return "then" in core;
}
