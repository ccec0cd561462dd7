// Label values as Kubernetes takes them. Its own refusal quotes the value but not the label.
import { FaasError } from '../types/errors.ts';
import type { Texts } from './objects.ts';

const value = /^([A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?)?$/;

const longest = 63;

/** @throws invalid naming every label whose value cannot be */
export const checkLabels = (labels: Texts | undefined): void => {
  const bad = Object.entries(labels ?? {}).filter(([, text]) => text.length > longest || !value.test(text));
  if (bad.length === 0) return;
  const shown = bad.map(([key, text]) => `labels.${key}: ${JSON.stringify(text.slice(0, 80))}`).join('; ');
  throw new FaasError(
    'invalid',
    `${shown}: expected at most ${longest} letters, digits, dots, underscores and dashes, with a letter or digit at both ends`,
  );
};
