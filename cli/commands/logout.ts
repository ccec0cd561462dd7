// sluice logout
import { gatewayOf } from '../client/connect.ts';
import { removeLogin } from '../client/login-file.ts';
import { type GatewayOptions, gatewayOptions } from '../options.ts';
import type { Define } from '../program.ts';

export const define: Define = (command, ctx) => {
  gatewayOptions(command);
  command.action(async () => {
    const gateway = gatewayOf(ctx, { options: command.optsWithGlobals<GatewayOptions>() });
    await removeLogin(ctx, gateway);
    ctx.stdout.write(`credentials removed for ${gateway}\n`);
  });
};
