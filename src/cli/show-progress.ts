import type { Progress } from '#review/document.js';

export interface ProgressLine {
  readonly show: (event: Progress) => void;
  readonly clear: () => void;
}

interface ErrorStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const PATIENCE = 1000;
const INTERVAL = 100;

/** One line on stderr that says what is being searched: only on a terminal, and only once a second has passed. */
export function showProgress(stream: ErrorStream, now: () => number): ProgressLine {
  if (stream.isTTY !== true) return { show: () => {}, clear: () => {} };
  const start = now();
  let last = 0;
  let shown = false;
  let patch = '';
  return {
    show: (event) => {
      if (event.kind === 'patch') {
        patch = event.of > 1 ? `patch ${event.index + 1}/${event.of}: ` : '';
        return;
      }
      const time = now();
      if (time - start < PATIENCE || time - last < INTERVAL) return;
      last = time;
      shown = true;
      const text = `${patch}${event.function} (${event.file}) on ${event.machine}`;
      const plain = [...text].filter((c) => c >= ' ' && c !== '\u007f').join('');
      stream.write(`\r\u001b[K${plain.slice(0, (stream.columns ?? 80) - 1)}`);
    },
    clear: () => {
      if (shown) stream.write('\r\u001b[K');
      shown = false;
    },
  };
}
