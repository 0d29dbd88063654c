/** A site as its reader sees it: parts that are not theirs are absent. */
export interface SitePage {
  readonly site: {
    readonly id: string;
    readonly label: string;
    readonly time_zone: string;
    readonly territory?: string;
    readonly account_label?: string;
    readonly contacts?: readonly {
      readonly contact_id: string;
      readonly active: boolean;
      readonly every_site: boolean;
      readonly may_request: boolean;
      readonly may_approve: boolean;
      readonly approval_limit_cents: number;
    }[];
  };
}
