// What a registry asks for in `WWW-Authenticate`. Pure.

export type Challenge =
  | { readonly scheme: 'basic' }
  | {
      readonly scheme: 'bearer';
      readonly realm: string;
      readonly service: string | undefined;
      readonly scope: string | undefined;
    };

const parameters = (text: string): Map<string, string> => {
  const found = text.matchAll(/([\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g);
  return new Map(
    [...found].map(([, name, quoted, bare]) => [(name ?? '').toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '']),
  );
};

/** The first one that can be answered; a registry may offer several. */
export const parseChallenge = (header: string): Challenge | undefined => {
  const bearer = /(?:^|,\s*)bearer\s+(.*)$/is.exec(header);
  if (bearer !== null) {
    const known = parameters(bearer[1] ?? '');
    const realm = known.get('realm');
    if (realm !== undefined && URL.canParse(realm)) {
      return { scheme: 'bearer', realm, service: known.get('service'), scope: known.get('scope') };
    }
  }
  return /(?:^|,\s*)basic\b/i.test(header) ? { scheme: 'basic' } : undefined;
};
