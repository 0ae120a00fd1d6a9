/** What a hazard is, as formats show it beside a finding. The pages come from the rules; a front door passes them in. */
export interface HazardHelp {
  readonly id: string;
  readonly title: string;
  readonly severity: 'error' | 'warning' | 'note';
  /** Markdown, with the wrong and the right order. */
  readonly page: string;
}
