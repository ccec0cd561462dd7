// Bytes up to an empty line: the head of a message, or its trailers, which may come in any number of pieces.

const emptyLine = '\r\n\r\n';

/** Bytes that are looked at in one go: enough for most heads, and little of a body. */
const stepBytes = 4096;

export class Section {
  /** What came, one character a byte; `undefined` until the empty line has come. */
  text: string | undefined;
  /** Where in the text the section ends, behind its empty line. What follows is not of it: a part of a string is slow to read. */
  end = 0;
  readonly #maxBytes: number;
  /** All that came before, while the empty line has not. */
  #pieces: string[] | undefined;
  #bytes = 0;
  /** The last of it: the empty line may be in two pieces. */
  #tail = '';

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** What comes from now on is another section. @param before what came just before and counts for the empty line */
  begin(before = ''): void {
    this.text = undefined;
    this.#pieces = before === '' ? undefined : [before];
    this.#bytes = 0;
    this.#tail = before;
  }

  /**
   * Takes bytes until the empty line has come. Returns where it has stopped.
   * @throws Error when there are too many, or a line ends otherwise than with CR LF
   */
  take(bytes: Buffer, from: number, to: number): number {
    for (let at = from; at < to; ) {
      const piece = bytes.toString('latin1', at, Math.min(to, at + stepBytes));
      const tail = this.#tail;
      const found = (tail + piece).indexOf(emptyLine);
      if (found !== -1) {
        const count = found + emptyLine.length - tail.length;
        this.#count(count);
        const before = this.#pieces?.join('') ?? '';
        this.text = before + piece;
        this.end = before.length + count;
        return at + count;
      }
      this.#count(piece.length);
      this.#keep(piece);
      at += piece.length;
    }
    return to;
  }

  /** Whether what came first is the beginning of a text, or begins with it. */
  mayBegin(text: string): boolean {
    const first = this.#pieces?.[0] ?? '';
    return first.startsWith(text) || text.startsWith(first);
  }

  #count(more: number): void {
    this.#bytes += more;
    if (this.#bytes > this.#maxBytes) throw new Error(`it sent a head of more than ${this.#maxBytes} bytes`);
  }

  #keep(piece: string): void {
    // Who ends lines otherwise may never send the empty line that is waited for.
    const isSplit = this.#tail.endsWith('\r') && piece.charCodeAt(0) === 10;
    if (/(?:^|[^\r])\n/.test(isSplit ? piece.slice(1) : piece)) throw new Error('it sent a line that does not end with CR LF');
    if (this.#pieces === undefined) this.#pieces = [piece];
    else this.#pieces.push(piece);
    this.#tail = (this.#tail + piece).slice(-(emptyLine.length - 1));
  }
}
