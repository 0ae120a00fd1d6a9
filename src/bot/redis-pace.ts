/** The pace of an installation where several processes write to it: kept in Redis, by the clock of Redis. */
import type { Redis } from 'ioredis';
import type { Pace } from './pace.js';

const SLOT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
local after = at + tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.max(1, after - now))
return at - now`;

const HOLD = `
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
end
return 1`;

export class RedisPace implements Pace {
  readonly #redis: Redis;
  readonly #interval: number;

  constructor(redis: Redis, interval: number) {
    this.#redis = redis;
    this.#interval = interval;
  }

  async slot(installation: number): Promise<number> {
    return Number(await this.#redis.eval(SLOT, 1, `shootdown:slot:${installation}`, this.#interval));
  }

  async hold(installation: number, milliseconds: number): Promise<void> {
    await this.#redis.eval(HOLD, 1, `shootdown:hold:${installation}`, Math.max(1, Math.ceil(milliseconds)));
  }

  async heldFor(installation: number): Promise<number> {
    return Math.max(0, await this.#redis.pttl(`shootdown:hold:${installation}`));
  }
}
