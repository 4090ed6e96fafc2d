/** What a flow asks of its layer: `qosspec_t`. */
export interface QosSpec {
  /** Milliseconds; {@link UNBOUNDED}: any. */
  readonly delay: number
  /** Bits a second, 64 bits unsigned. */
  readonly bandwidth: bigint
  /** Class of nines, 0 to 255. */
  readonly availability: number
  /** Packet loss: 0 none, 1 some (32 bits). */
  readonly loss: number
  /** Bit errors in 10^9 bits. */
  readonly ber: number
  /** Messages come in their order. */
  readonly inOrder: boolean
  /** Milliseconds between messages at most; {@link UNBOUNDED}: any. */
  readonly maxGap: number
  /** Milliseconds of silence after which the peer counts as gone; 0: never. */
  readonly timeout: number
}

/** No bound, in a field of 32 bits. */
export const UNBOUNDED = 0xffffffff
/** Milliseconds of a spec's timeout where nothing else is said. */
export const QOS_TIMEOUT = 120_000

const cube = (
  delay: number,
  bandwidth: bigint,
  availability: number,
  loss: number,
  ber: number,
  inOrder: boolean,
  maxGap: number,
): QosSpec => Object.freeze({ delay, bandwidth, availability, loss, ber, inOrder, maxGap, timeout: QOS_TIMEOUT })

const MOST = 0xffffffffffffffffn

/** The name of one of {@link QOS_CUBES}. */
export type QosCube = "raw" | "rawNoErrors" | "bestEffort" | "video" | "voice" | "data"

/** The quality-of-service cubes of `qos.h`. A flow allocated without a spec gets `raw`. */
export const QOS_CUBES: Readonly<Record<QosCube, QosSpec>> = {
  raw: cube(UNBOUNDED, 0n, 0, 1, 1, false, UNBOUNDED),
  rawNoErrors: cube(UNBOUNDED, 0n, 0, 1, 0, false, UNBOUNDED),
  bestEffort: cube(UNBOUNDED, 0n, 0, 1, 0, true, UNBOUNDED),
  video: cube(100, MOST, 3, 1, 0, true, 100),
  voice: cube(50, 100_000n, 5, 1, 0, true, 50),
  data: cube(1000, 0n, 0, 0, 0, true, 2000),
}

const isWord = (value: number): boolean => value >>> 0 === value

/** Why a spec has no octets; `undefined`: it has. */
export const qosFault = (qos: QosSpec): string | undefined => {
  for (const name of ["delay", "loss", "ber", "maxGap", "timeout"] as const)
    if (!isWord(qos[name])) return `${name} ${qos[name]} does not fit 32 bits`
  if (qos.bandwidth < 0n || qos.bandwidth > MOST) return `bandwidth ${qos.bandwidth} does not fit 64 bits`
  if (!isWord(qos.availability) || qos.availability > 255) return `availability ${qos.availability} does not fit 8 bits`
  return undefined
}
