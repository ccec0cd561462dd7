// Paths with empty, `.` or `..` segments are redirected to their clean form before any route is looked at.
// OpenFaaS contract, 1.0 and fact 15; percent-encoded dots and slashes are data and stay.

/** Where to redirect a request target to; `undefined` when its path is clean. The query is kept, a trailing slash too. */
export const cleanTarget = (target: string): string | undefined => {
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  if (!path.startsWith('/') || !/\/(\/|\.\.?(\/|$))/.test(path)) return undefined;
  const kept: string[] = [];
  const segments = path.split('/');
  for (const segment of segments) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  const last = segments.at(-1);
  const slash = kept.length > 0 && (last === '' || last === '.' || last === '..') ? '/' : '';
  return `/${kept.join('/')}${slash}${mark === -1 ? '' : target.slice(mark)}`;
};
