// Cuts a stream of bytes into lines.

/** Lines without their ends; what follows the last end is a line too. Bytes are decoded a line at a time. */
export async function* toLines(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  let begun: Uint8Array[] = [];
  for await (const piece of pieces) {
    let from = 0;
    for (let end = piece.indexOf(10, from); end !== -1; end = piece.indexOf(10, from)) {
      begun.push(piece.subarray(from, end));
      yield Buffer.concat(begun).toString();
      begun = [];
      from = end + 1;
    }
    if (from < piece.length) begun.push(piece.subarray(from));
  }
  if (begun.length > 0) yield Buffer.concat(begun).toString();
}
