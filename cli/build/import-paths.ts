// Rewrites `./x.ts` to `./x.js` in the imports and exports of JavaScript whose types were stripped. Every other byte
// stays where it is, so that lines and columns in stack traces are those of the source.

type Token = { readonly kind: 'word' | 'value' | 'mark'; readonly text: string; readonly start: number };

const skipped = String.raw`\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/`;
const quoted = String.raw`'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"`;
const word = String.raw`[\p{ID_Start}$_][\p{ID_Continue}$]*`;
const lexeme = new RegExp(`(?<skip>${skipped})|(?<value>${quoted}|\\.?\\d[\\w.]*)|(?<word>${word})|(?<mark>.)`, 'suy');
const regularExpression = /\/(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const templateText = /(?:[^\\`$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{|$)/y;
const beforeExpression = /^(?:return|typeof|case|in|of|delete|void|do|else|await|yield|throw|new)$/;

const take = (pattern: RegExp, text: string, at: number): string | undefined => {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
};

/** Whether a slash after this token begins a regular expression; the rest are divisions. */
const startsExpression = (previous: Token | undefined): boolean => {
  if (previous === undefined) return true;
  if (previous.kind === 'word') return beforeExpression.test(previous.text);
  return previous.kind === 'mark' && previous.text !== ')' && previous.text !== ']';
};

/** Words, literals and punctuation, without comments and without the text of templates. */
function* tokens(text: string): Generator<Token> {
  // One entry per open brace: true for the `${` of a template, whose text goes on behind the matching brace.
  const braces: boolean[] = [];
  let previous: Token | undefined;
  for (let at = 0; at < text.length; ) {
    lexeme.lastIndex = at;
    const groups = lexeme.exec(text)?.groups ?? {};
    if (groups.skip !== undefined) {
      at += groups.skip.length;
      continue;
    }
    let kind: Token['kind'] = groups.word !== undefined ? 'word' : groups.value !== undefined ? 'value' : 'mark';
    let lexed = groups.word ?? groups.value ?? groups.mark ?? '';
    if (lexed === '/' && startsExpression(previous)) {
      const found = take(regularExpression, text, at);
      if (found !== undefined) [kind, lexed] = ['value', found];
    }
    if (lexed === '{') braces.push(false);
    if (lexed === '`' || (lexed === '}' && braces.pop() === true)) {
      lexed += take(templateText, text, at + 1) ?? '';
      if (lexed.endsWith('${')) braces.push(true);
      else kind = 'value';
    }
    previous = { kind, text: lexed, start: at };
    yield previous;
    at += lexed.length;
  }
}

const typeScriptPath = /^(['"])(\.{1,2}\/[\s\S]*)\.([mc]?)ts\1$/;

/** The same text with every relative path to a .ts, .mts or .cts module pointing to what it compiles to. */
export const rewriteImportPaths = (text: string): string => {
  let result = '';
  let copied = 0;
  let [third, second, first]: (Token | undefined)[] = [];
  for (const token of tokens(text)) {
    const opens = first?.text === '(' ? [second, third] : [first, second];
    const isPath = (opens[0]?.text === 'import' && opens[1]?.text !== '.') || (first?.kind === 'word' && first.text === 'from');
    const path = token.kind === 'value' && isPath ? typeScriptPath.exec(token.text) : null;
    if (path !== null) {
      const [, quote, stem, flavour] = path;
      result += `${text.slice(copied, token.start)}${quote}${stem}.${flavour}js${quote}`;
      copied = token.start + token.text.length;
    }
    [third, second, first] = [second, first, token];
  }
  return result + text.slice(copied);
};
