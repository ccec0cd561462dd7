// A stack file as the commands see it.
import type { Resources } from '../../provider/types/function.ts';

export type StackFunction = {
  readonly name: string;
  /** `file:line:column`, for messages; absent when flags alone describe the function. */
  readonly place: string | undefined;
  /** The same of its keys, dotted: `limits.memory`. */
  readonly places: Readonly<Record<string, string>>;
  readonly lang: string;
  readonly handler: string;
  readonly image: string;
  readonly fprocess: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly environmentFiles: readonly string[];
  readonly secrets: readonly string[];
  readonly skipBuild: boolean;
  /** Absent when the key is absent: an empty list masks --constraint. */
  readonly constraints: readonly string[] | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly limits: Resources;
  readonly requests: Resources;
  readonly readOnly: boolean;
  readonly buildOptions: readonly string[];
  readonly buildArgs: Readonly<Record<string, string>>;
  readonly namespace: string;
};

export type Stack = {
  /** As the user would name it. */
  readonly file: string;
  /** Empty when the file names none. */
  readonly gateway: string;
  readonly functions: readonly StackFunction[];
  /** `configuration.copy`: extra paths for every build. */
  readonly copy: readonly string[];
  /** What is worth saying although the file is valid. */
  readonly warnings: readonly string[];
};
