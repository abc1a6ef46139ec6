// What the tests use of Node's other modules, over the host program.
import { host } from "./host.js";

export const mkdtempSync = (_prefix: string): string => host.newDirectory();
/** The host removes all directories at its end. */
export const rmSync = (): void => {};
export const readFileSync = (file: string, _encoding: "utf8"): string => host.read(file);
export const writeFileSync = (file: string, content: string): void => host.write(file, content);
export const readdirSync = (directory: string): string[] => host.names(directory).split("\n").filter(Boolean).sort();

export const tmpdir = (): string => "";
export const fileURLToPath = (url: string): string => url.replace(/^file:\/\//, "");
export const join = (...parts: string[]): string => parts.join("/");

export function resolve(...parts: string[]): string {
  const found: string[] = [];
  for (const part of join(...parts).split("/")) {
    if (part === "..") found.pop();
    else if (part !== "" && part !== ".") found.push(part);
  }
  return `/${found.join("/")}`;
}

export const memoryUsage = { rss: host.residentBytes };
export const exit = host.exit;
