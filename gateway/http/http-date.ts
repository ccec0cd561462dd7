// `Date` of answers, which is the same for a second.

/** Now, as HTTP writes it. @param now as Date.now */
export const createHttpDate = (now: () => number = Date.now): (() => string) => {
  let second = -1;
  let text = '';
  return () => {
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      second = current;
      text = new Date(current * 1000).toUTCString();
    }
    return text;
  };
};
