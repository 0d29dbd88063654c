/** The part that is used; the package brings no types. */
declare module '@20minutes/s3rver' {
  class S3rver {
    constructor(options: {
      readonly address: string;
      readonly port: number;
      readonly silent: boolean;
      readonly directory: string;
      readonly configureBuckets: readonly { readonly name: string }[];
      readonly vhostBuckets: boolean;
    });
    run(): Promise<{ readonly port: number }>;
    close(): Promise<void>;
  }
  export default S3rver;
}
