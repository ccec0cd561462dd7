// `GET /system/info`.
export type VersionInfo = { readonly sha: string; readonly release: string; readonly commit_message?: string | undefined };

export type ProviderInfo = {
  readonly provider: string;
  readonly orchestration: string;
  readonly version: VersionInfo;
  /** What the provider can and cannot do on this machine; only Sluice sends it. */
  readonly capabilities?: {
    /** What `image` has to be: a bundle that was uploaded, or an image in a registry. */
    readonly packaging: 'bundle' | 'image';
    /** How memory and CPU limits are enforced. */
    readonly limits: string;
    /** Whether functions are shielded from each other and from the gateway, and how. */
    readonly isolation: string;
  };
};

export type GatewayInfo = { readonly provider: ProviderInfo; readonly version: VersionInfo; readonly arch: string };
