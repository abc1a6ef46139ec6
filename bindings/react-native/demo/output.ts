/** The 16 hexadecimal digits of a double. */
export function bits(number: number): string {
  const double = Buffer.alloc(8);
  double.writeDoubleBE(number);
  return double.toString("hex");
}

/** Prints a line at once: on a pipe, Node.js waits until it is written. */
export function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
