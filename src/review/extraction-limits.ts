/** Bounds on one root's program: what they cut off is reported as not decided. */
export const NODE_LIMIT = 6000;
export const DEPTH_LIMIT = 7;
