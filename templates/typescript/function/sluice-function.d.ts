// Types that a handler has without installing anything: Request, Response and the other web standards come from
// tsconfig.json, the rest from here. For the full types of Node.js run `npm install --save-dev @types/node` and put
// "types": ["node"] into tsconfig.json; they take precedence.

declare module 'node:*';

declare namespace NodeJS {
  interface ProcessEnv {
    [name: string]: string | undefined;
  }
  interface Process {
    env: ProcessEnv;
  }
}

declare var process: NodeJS.Process;

declare namespace Sluice {
  /** What a handler's default export is: `export default (async (request) => …) satisfies Sluice.Handler`. */
  type Handler = (request: Request) => Response | Promise<Response>;
}
