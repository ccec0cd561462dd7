// Where the templates that ship with Sluice are: beside package.json, whether this runs from the sources or from dist/.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FaasError } from '../../provider/types/errors.ts';

/** @throws internal when the installation has no templates */
export const builtinTemplatesDir = (from: string = fileURLToPath(import.meta.url)): string => {
  for (let dir = dirname(from); ; dir = dirname(dir)) {
    const templates = join(dir, 'templates');
    if (existsSync(join(dir, 'package.json')) && existsSync(join(templates, 'node', 'template.yml'))) return templates;
    if (dirname(dir) === dir)
      throw new FaasError('internal', `templates: none found above ${from}; the installation is incomplete`);
  }
};
