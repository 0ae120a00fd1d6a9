/**
 * The review process: takes tasks from its standard input one after the other, reads files by asking the app, and
 * writes the document. It blocks while it reads, so no stream may touch its standard input or output.
 */
import { readSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REVIEW_LIMITS } from '#cli/review-limits.js';
import { plainPatch } from '#patch/series.js';
import { reviewSeries } from '#review/review-series.js';
import { VERSION } from '#review/version.js';
import { loadRules } from '#rules/load-rules.js';
import { openCache } from '#source/cache-folder.js';
import { openRevision } from '#source/git-tree.js';
import { overlay } from '#source/overlay-tree.js';
import type { Tree } from '#source/snapshot.js';
import {
  type FromReview,
  frame,
  frameLength,
  type ReviewTask,
  type Side,
  type ToReview,
} from './review-task.js';

const HEAD = 4;

function main(): void {
  for (;;) {
    const message = receive();
    if (message === null) return;
    if (message.kind !== 'task') throw outOfStep(message);
    try {
      send({ kind: 'done', document: review(message.task) });
    } catch (error) {
      send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  }
}

function review(task: ReviewTask) {
  const before = renamedBack(openTree('before', task), task);
  const after = openTree('after', task);
  const patch = plainPatch({
    subject: task.subject,
    commit: task.commit,
    files: task.changed.map((path) => ({ oldPath: path, newPath: path, change: 'modify', hunks: [] })),
  });
  const state = { patch, context: 'tree', before, after, changed: task.changed, partial: false } as const;
  return reviewSeries([state], loadRules(), {
    machines: task.machines,
    existing: false,
    limits: REVIEW_LIMITS,
    cache: task.local === null ? null : openCache(join(dirname(task.local.folder), 'kept'), VERSION),
    now: () => performance.now(),
    onProgress: () => {},
  });
}

/** A renamed file is compared with what it was, under its new name. */
function renamedBack(before: Tree, task: ReviewTask): Tree {
  const texts = new Map<string, string | null>();
  for (const [path, old] of Object.entries(task.renamed)) texts.set(path, before.read(old));
  return overlay(before, texts);
}

function openTree(side: Side, task: ReviewTask): Tree {
  if (task.local !== null) return openRevision(task.local.folder, task.local[side]);
  const texts = new Map<string, string | null>();
  const lists = new Map<string, readonly string[]>();
  return {
    read(path) {
      let text = texts.get(path);
      if (text === undefined) {
        const answer = ask({ kind: 'read', side, path });
        if (answer.kind !== 'text') throw outOfStep(answer);
        text = answer.text;
        texts.set(path, text);
      }
      return text;
    },
    list(path) {
      let names = lists.get(path);
      if (names === undefined) {
        const answer = ask({ kind: 'list', side, path });
        if (answer.kind !== 'names') throw outOfStep(answer);
        names = answer.names;
        lists.set(path, names);
      }
      return names;
    },
  };
}

function outOfStep(answer: ToReview): Error {
  return new Error(`the pipe is out of step: ${answer.kind}`);
}

function ask(question: FromReview): ToReview {
  send(question);
  const answer = receive();
  if (answer === null) process.exit(0);
  return answer;
}

function send(message: FromReview): void {
  const bytes = frame(message);
  for (let at = 0; at < bytes.length; ) at += again(() => writeSync(1, bytes, at));
}

/** Null when the app is gone. */
function receive(): ToReview | null {
  const head = receiveBytes(HEAD);
  const body = head === null ? null : receiveBytes(frameLength(head));
  return body === null ? null : (JSON.parse(body.toString('utf8')) as ToReview);
}

function receiveBytes(size: number): Buffer | null {
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0; at < size; ) {
    const got = again(() => readSync(0, bytes, at, size - at, null));
    if (got === 0) return null;
    at += got;
  }
  return bytes;
}

/** Pipes may be set not to block, whoever made them; then an empty or full one is tried again in a moment. */
function again(call: () => number): number {
  for (;;) {
    try {
      return call();
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

main();
