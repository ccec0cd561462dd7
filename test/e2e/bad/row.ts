// One request that is to be refused, and how.

export type Row = {
  readonly title: string;
  readonly method?: string;
  readonly path: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  /** Of the message; a text is what it begins with. */
  readonly message: string | RegExp;
};

export const labelRule = 'expected at most 63 lower-case letters, digits and dashes, starting and ending with a letter or digit';
export const nameRule =
  'expected at most 253 lower-case letters, digits, dashes and dots, starting and ending with a letter or digit';

export const post = (title: string, path: string, body: object | string, status: number, message: string | RegExp): Row => ({
  title,
  method: 'POST',
  path,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  status,
  message,
});
