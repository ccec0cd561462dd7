// Which of two states of an object is the newer one. Resource versions are numbers in every API server there is; where one
// is not, what comes last counts.
const isNumber = (text: string): boolean => /^\d+$/.test(text);

/** True when `a` is an older state than `b`. */
export const isOlder = (a: string | undefined, b: string | undefined): boolean => {
  if (a === undefined || b === undefined || !isNumber(a) || !isNumber(b)) return false;
  return a.length === b.length ? a < b : a.length < b.length;
};
