// A commander command that reads flags as faas-cli does (Go's pflag): `--update=false`, `-f=stack.yaml`.
import { Command, type Option } from 'commander';

const truths = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const untruths = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

const isSwitch = (option: Option): boolean => !option.required && !option.optional;

/** Pure: arguments in commander's form; what is not a flag of `options` stays as it is. */
export const toCommanderArguments = (argv: readonly string[], options: readonly Option[]): string[] => {
  const result: string[] = [];
  for (const [index, argument] of argv.entries()) {
    if (argument === '--') return [...result, ...argv.slice(index)];
    const equals = argument.indexOf('=');
    const flag = equals === -1 ? argument : argument.slice(0, equals);
    const value = argument.slice(equals + 1);
    const option = equals === -1 ? undefined : options.find((each) => each.long === flag || each.short === flag);
    if (option === undefined) result.push(argument);
    else if (!isSwitch(option)) result.push(...(flag === option.short ? [flag, value] : [argument]));
    else if (truths.has(value)) result.push(flag);
    else if (untruths.has(value)) result.push(...(option.negate ? [] : [`--no-${option.name()}`]));
    else result.push(argument);
  }
  return result;
};

export class FlagCommand extends Command {
  override createCommand(name?: string): FlagCommand {
    return new FlagCommand(name);
  }

  override parseOptions(argv: string[]): ReturnType<Command['parseOptions']> {
    return super.parseOptions(toCommanderArguments(argv, this.options));
  }
}
