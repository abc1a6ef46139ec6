/** What jsi/host.cpp gives to the script. */
export interface Host {
  readonly arguments: readonly string[];
  /** What the script before a reload left. */
  readonly state?: string;
  print(line: string): void;
  exit(code: number): void;
  reload(state: string): void;
  installCore(): number;
  nothing(): void;

  newDirectory(): string;
  names(directory: string): string;
  read(file: string): string;
  write(file: string, content: string): void;
  /** The first place in the file that holds the text `find` holds `put` from now on. */
  overwrite(file: string, find: string, put: string): void;
  residentBytes(): number;

  /** Milliseconds since some moment, with fractions. */
  now(): number;
  /** Calls back when everything was done that other threads asked for before. */
  post(callback: () => void): void;
  startTimer(callback: () => void, delay: number, repeated: boolean): number;
  stopTimer(id: number): void;

  utf8Length(text: string): number;
  writeUtf8(text: string, into: ArrayBufferLike, offset: number): number;
}

export const host: Host = (globalThis as unknown as { host: Host }).host;
