/**
 * Edits that may put a wrong order right: what the patch did undone in one place, or one statement moved or repeated.
 * Proposals only: whether one does is for the search to say.
 */
import { reorderings } from './reorderings.js';
import { type FunctionText, Scene } from './scene.js';
import { applyEdits, type Edit } from './source-edit.js';
import { undoings } from './undoings.js';

export interface CandidateEdit {
  readonly edits: readonly Edit[];
  /** Text of the file with the edits made. */
  readonly text: string;
  /** What a reader would have to follow: less is tried first. */
  readonly cost: number;
}

/** Edits of one kind: null where it cannot be made. The less a sort does beyond what stood there before, the lower. */
export interface Proposal {
  readonly edits: readonly Edit[] | null;
  readonly sort: 'undo' | 'undo-other' | 'move' | 'move-across-barrier' | 'repeat';
}

const SORTS: readonly Proposal['sort'][] = ['undo', 'move', 'undo-other', 'move-across-barrier', 'repeat'];

/** Edits that change more lines than this are rewrites. */
const MOST_LINES = 16;

/**
 * Edits of `after`, the cheapest first, each text once.
 *
 * @param before    the function before the patch, null where it is new
 * @param violating line where the order goes wrong, null where that is in another function
 */
export function candidateEdits(
  before: FunctionText | null,
  after: FunctionText,
  violating: number | null,
): CandidateEdit[] {
  const scene = new Scene(after);
  const found: CandidateEdit[] = [];
  const add = ({ edits, sort }: Proposal): void => {
    if (edits === null) return;
    const text = applyEdits(after.text, edits);
    if (text === after.text || found.some((known) => known.text === text)) return;
    const lines = edits.reduce((sum, edit) => sum + edit.remove + edit.insert.length, 0);
    if (lines <= MOST_LINES) found.push({ edits, text, cost: SORTS.indexOf(sort) * 100 + lines });
  };
  if (before !== null) for (const proposal of undoings(before, scene)) add(proposal);
  if (violating !== null) for (const proposal of reorderings(scene, violating)) add(proposal);
  return found.sort((a, b) => a.cost - b.cost);
}
