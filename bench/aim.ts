// What a number has to be, and whether it is.

export type Aim = { readonly atLeast: number } | { readonly atMost: number };

/** One measured number as the report shows it. */
export type Finding = {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** Digits behind the point. */
  readonly digits: number;
  readonly aim?: Aim | undefined;
};

/** A number that could not be measured meets no aim. */
export const isMet = (value: number, aim: Aim): boolean => ('atLeast' in aim ? value >= aim.atLeast : value <= aim.atMost);

const withUnit = (text: string, unit: string): string => (unit === '' ? text : `${text} ${unit}`);

export const formatFinding = ({ what, value, unit, digits, aim }: Finding): string => {
  const text = `  ${what.padEnd(56)} ${withUnit(value.toFixed(digits), unit).padStart(12)}`;
  if (aim === undefined) return text;
  const [sign, bound] = 'atLeast' in aim ? ['>=', aim.atLeast] : ['<=', aim.atMost];
  const shown = Number(bound.toFixed(Math.max(digits, 2)));
  return `${text}   aim ${withUnit(`${sign} ${shown}`, unit)}: ${isMet(value, aim) ? 'met' : 'MISSED'}`;
};
