/** What the front door reads from the environment, once, so that everything below it gets plain options. */
export interface Terminal {
  readonly color: boolean;
  readonly width: number;
}

interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/**
 * Colours: never with NO_COLOR set to something, else with FORCE_COLOR (0 and false mean no), else on a terminal
 * that is not dumb. Without a terminal the width is 80, so that files and pipes do not depend on a window.
 */
export function readTerminal(
  stream: Stream,
  environment: Readonly<Record<string, string | undefined>>,
): Terminal {
  const { NO_COLOR, FORCE_COLOR, TERM } = environment;
  const forced = FORCE_COLOR === undefined ? null : FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
  const color = NO_COLOR ? false : (forced ?? (stream.isTTY === true && TERM !== 'dumb'));
  const columns = stream.isTTY === true && stream.columns ? stream.columns : 80;
  return { color, width: Math.min(Math.max(columns, 60), 120) };
}
