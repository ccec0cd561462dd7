// Headers as the Fetch standard has them, kept as one flat list of names and values: the form in which node:http
// gives and takes them. Node's own class is in undici, whose loading would cost a cold start 12 ms or more.

const token = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;
const badValue = /[\0\r\n]/;

export type HeadersInput =
  | Iterable<readonly [string, string]>
  | Iterable<Iterable<string>>
  | Readonly<Record<string, string>>
  | WebHeaders
  | null
  | undefined;

const checkName = (name: string): string => {
  if (!token.test(name)) throw new TypeError(`Headers: ${JSON.stringify(name)} is not a legal HTTP header name`);
  return name;
};

const checkValue = (value: string): string => {
  const trimmed = value.trim();
  if (badValue.test(trimmed)) throw new TypeError(`Headers: ${JSON.stringify(value)} is not a legal HTTP header value`);
  return trimmed;
};

const isIterable = (value: object): value is Iterable<Iterable<string>> =>
  typeof (value as { [Symbol.iterator]?: unknown })[Symbol.iterator] === 'function';

export class WebHeaders {
  #flat: string[] = [];

  constructor(input?: HeadersInput) {
    if (input === undefined || input === null) return;
    if (typeof input !== 'object') throw new TypeError('Headers: expected an object or a list of pairs');
    if (input instanceof WebHeaders && #flat in input) this.#flat = input.#flat.slice();
    else if (isIterable(input)) {
      for (const pair of input) {
        const [name, value, ...rest] = [...pair];
        if (name === undefined || value === undefined || rest.length > 0) {
          throw new TypeError('Headers: expected pairs of a name and a value');
        }
        this.append(name, value);
      }
    } else for (const name of Object.keys(input)) this.append(name, (input as Record<string, string>)[name] as string);
  }

  /** Takes the list over, unchecked: it came from node:http. */
  static fromFlat(flat: string[]): WebHeaders {
    const headers = new WebHeaders();
    headers.#flat = flat;
    return headers;
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object Headers]';
  }

  get [Symbol.toStringTag](): string {
    return 'Headers';
  }

  /** The live list of names and values, as `writeHead` takes it. */
  static flatOf(headers: WebHeaders): string[] {
    return headers.#flat;
  }

  append(name: string, value: string): void {
    this.#flat.push(checkName(String(name)), checkValue(String(value)));
  }

  set(name: string, value: string): void {
    const checked = checkValue(String(value));
    const wanted = checkName(String(name)).toLowerCase();
    const at = this.#flat.findIndex((each, index) => index % 2 === 0 && each.toLowerCase() === wanted);
    if (at === -1) {
      this.#flat.push(String(name), checked);
      return;
    }
    this.#flat[at + 1] = checked;
    this.#remove(wanted, at + 2);
  }

  delete(name: string): void {
    this.#remove(checkName(String(name)).toLowerCase(), 0);
  }

  get(name: string): string | null {
    const wanted = String(name).toLowerCase();
    const flat = this.#flat;
    let found: string | null = null;
    for (let i = 0; i < flat.length; i += 2) {
      const each = flat[i] as string;
      if (each.length === wanted.length && each.toLowerCase() === wanted) {
        found = found === null ? (flat[i + 1] as string) : `${found}, ${flat[i + 1]}`;
      }
    }
    return found;
  }

  has(name: string): boolean {
    return this.get(name) !== null;
  }

  getSetCookie(): string[] {
    const cookies: string[] = [];
    for (let i = 0; i < this.#flat.length; i += 2) {
      if (this.#flat[i]?.toLowerCase() === 'set-cookie') cookies.push(this.#flat[i + 1] as string);
    }
    return cookies;
  }

  forEach(visit: (value: string, name: string, headers: WebHeaders) => void, self?: unknown): void {
    for (const [name, value] of this) visit.call(self, value, name, this);
  }

  *entries(): IterableIterator<[string, string]> {
    const names = new Set<string>();
    for (let i = 0; i < this.#flat.length; i += 2) names.add((this.#flat[i] as string).toLowerCase());
    for (const name of [...names].sort()) {
      if (name === 'set-cookie') for (const cookie of this.getSetCookie()) yield [name, cookie];
      else yield [name, this.get(name) as string];
    }
  }

  *keys(): IterableIterator<string> {
    for (const [name] of this.entries()) yield name;
  }

  *values(): IterableIterator<string> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  [Symbol.for('nodejs.util.inspect.custom')](): unknown {
    return { Headers: Object.fromEntries(this) };
  }

  #remove(wanted: string, from: number): void {
    for (let i = this.#flat.length - 2; i >= from; i -= 2) {
      if (this.#flat[i]?.toLowerCase() === wanted) this.#flat.splice(i, 2);
    }
  }
}
