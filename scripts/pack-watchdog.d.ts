export declare const packWatchdog: (bundle: string) => Promise<string>;
