// Paths with empty, `.` or `..` segments are answered with a redirect to the clean path, as OpenFaaS' router does.

/** The clean form of a path: no empty, `.` or `..` segments, a slash at its end kept. */
const clean = (path: string): string => {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') kept.pop();
    else kept.push(segment);
  }
  const joined = `/${kept.join('/')}`;
  return path.endsWith('/') && joined !== '/' ? `${joined}/` : joined;
};

/** Where to redirect a URL whose path is not canonical, query kept; `undefined` when it is. Encoded slashes and dots are bytes of a name. */
export const canonicalUrl = (url: string): string | undefined => {
  if (!url.includes('//') && !url.includes('/.')) return undefined;
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
  const cleaned = clean(path);
  if (cleaned === path) return undefined;
  // Browsers take a backslash for a slash, and two of them for the beginning of a host.
  const location = cleaned.replaceAll('\\', '%5C');
  return query === -1 ? location : location + url.slice(query);
};
