// Header and trailer fields as HTTP/1.1 writes them: which bytes names and values may hold, and how a block of them is read.

const table = (isAllowed: (code: number) => boolean): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, code) => Number(isAllowed(code)));

const tokenCodes = table((code) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(code)));
const valueCodes = table((code) => code === 9 || (code >= 32 && code !== 127));

const all = (text: string, codes: Uint8Array): boolean => {
  for (let i = 0; i < text.length; i += 1) if (codes[text.charCodeAt(i)] !== 1) return false;
  return true;
};

/** Whether a text can be a method or the name of a field. */
export const isToken = (text: string): boolean => text !== '' && all(text, tokenCodes);

/** Whether a text can be the value of a field: Latin-1 without control characters but the tab. */
export const isValue = (text: string): boolean => all(text, valueCodes);

const isBlank = (code: number): boolean => code === 32 || code === 9;

const framing = /^(?:transfer-encoding|content-length)$/i;

const shown = (text: string, at: number): string => JSON.stringify(text.slice(at, at + 40));

/**
 * The fields of a block, flat: name, value, name, value, …, values without the blanks around them.
 * @param text one character a byte
 * @param start where the first field begins
 * @param end behind the empty line of the block
 * @throws Error for what is no field; a line that continues another is none either
 */
export const parseFields = (text: string, start: number, end: number): string[] => {
  const fields: string[] = [];
  for (let at = start; at < end - 2; ) {
    let colon = at;
    while (tokenCodes[text.charCodeAt(colon)] === 1) colon += 1;
    if (colon === at || text.charCodeAt(colon) !== 58) throw new Error(`expected the name of a header, got ${shown(text, at)}`);
    let first = colon + 1;
    while (isBlank(text.charCodeAt(first))) first += 1;
    let lineEnd = first;
    while (valueCodes[text.charCodeAt(lineEnd)] === 1) lineEnd += 1;
    if (text.charCodeAt(lineEnd) !== 13 || text.charCodeAt(lineEnd + 1) !== 10) {
      throw new Error(`expected the value of a header, got ${shown(text, first)}`);
    }
    let last = lineEnd;
    while (last > first && isBlank(text.charCodeAt(last - 1))) last -= 1;
    const name = text.slice(at, colon);
    // Some readers take the tab for a part of the value, and then find another end of the body.
    if (last < lineEnd && framing.test(name) && text.slice(last, lineEnd).includes('\t')) {
      throw new Error(`${name}: expected no tab behind the value`);
    }
    fields.push(name, text.slice(first, last));
    at = lineEnd + 2;
  }
  return fields;
};

/**
 * The trailers of a block, as `parseFields`.
 * @throws Error also for those that would say where the body ends
 */
export const parseTrailers = (text: string, start: number, end: number): string[] => {
  const trailers = parseFields(text, start, end);
  for (let i = 0; i < trailers.length; i += 2) {
    if (framing.test(trailers[i] as string)) throw new Error(`${trailers[i]}: expected in the head, got it behind the body`);
  }
  return trailers;
};
