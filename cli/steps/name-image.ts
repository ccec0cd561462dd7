// The image name of a function without its digest, by the rules of --tag.
import { resolve } from 'node:path';
import type { Context } from '../context.ts';
import type { StackFunction } from '../stack/stack.ts';

/** An image with a digest is taken as it is; without an image the function's name stands in. @throws invalid */
export const nameImage = async (ctx: Context, fn: StackFunction, tag: string | undefined): Promise<string> => {
  if (fn.image.includes('@')) return fn.image;
  const { imageName } = await import('../build/image-name.ts');
  const { createImageFacts } = await import('../build/image-facts.ts');
  const facts = createImageFacts(ctx.cwd, resolve(ctx.cwd, fn.handler), ctx.env);
  return imageName(fn.image || fn.name, tag, facts);
};
