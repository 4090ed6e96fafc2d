import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Mapping } from "../../../core/cgn/index.ts"
import { advance, announce, type Outgoing, type Pushed, type ServerState, update } from "../../../core/server/index.ts"
import { formatAddress } from "../../../core/wire/index.ts"
import {
  address,
  filter,
  map,
  NONCE,
  natPmpMap,
  octets,
  peer,
  profileWith,
  Scene,
  THIRD_PARTY,
  thirdParty,
} from "./scene.ts"

const placeOf = ({ destination, port }: Outgoing): string => `${formatAddress(destination)} ${port}`

/** Takes what a push gave, and the datagrams of each call of `advance` until nothing is pending, with their times. */
const play = (scene: Scene, [state, { next }]: readonly [ServerState, Pushed], until = 300_000) => {
  scene.state = state
  const sent: { readonly at: number; readonly send: readonly Outgoing[] }[] = []
  for (let due = next; due !== undefined && due <= until; ) {
    scene.now = due
    const [after, { send, next: later }] = advance(scene.state, scene.now)
    scene.state = after
    if (send.length > 0) sent.push({ at: scene.now, send })
    due = later
  }
  return sent
}

const only = (scene: Scene): Mapping => {
  const [mapping, ...more] = scene.mappings
  assert.equal(more.length, 0)
  return mapping
}

const zeros = (count: number): number[] => new Array<number>(count).fill(0)

describe("announcements (RFC 6887 section 14.1.3, RFC 6886 section 3.2.1)", () => {
  it("S-80 S-83 S-84 N-06 go to 224.0.0.1 and ff02::1 port 5350, ten times, 250 ms apart and then twice as long each time", () => {
    const scene = new Scene()
    scene.now = 1000
    const sent = play(scene, announce(scene.state, scene.now))
    assert.deepEqual(
      sent.map(({ at }) => at - 1000),
      [0, 250, 750, 1750, 3750, 7750, 15750, 31750, 63750, 127750],
    )
    for (const { send } of sent)
      assert.deepEqual(send.map(placeOf), ["224.0.0.1 5350", "ff02::1 5350", "224.0.0.1 5350"])
  })

  it("S-82 S-84 N-06 say SUCCESS, lifetime 0 and the epoch of their own time, in both protocols", () => {
    const scene = new Scene()
    for (const { at, send } of play(scene, announce(scene.state, 0))) {
      const epoch = [0, 0, Math.floor(at / 1000) >> 8, Math.floor(at / 1000) & 255]
      const pcp = [2, 0x80, 0, 0, 0, 0, 0, 0, ...epoch, ...zeros(12)]
      assert.deepEqual([...send[0].bytes], pcp)
      assert.deepEqual([...send[1].bytes], pcp)
      assert.deepEqual([...send[2].bytes.subarray(0, 8)], [0, 128, 0, 0, ...epoch])
      const external = [...send[2].bytes.subarray(8)].join(".")
      assert.ok(["203.0.113.1", "203.0.113.2"].includes(external), external)
    }
  })

  it("S-83 go by unicast to a client that is named, and say what PREFIX64 a NAT64 has", () => {
    const prefix64 = [
      {
        kind: "PREFIX64",
        prefix: Uint8Array.of(0, 0x64, 0xff, 0x9b),
        suffix: new Uint8Array(8),
        ipv4Prefixes: undefined,
      },
    ] as const
    const scene = new Scene({ prefix64, announceCount: 2 })
    const sent = play(scene, announce(scene.state, 0, { address: address("10.0.0.9"), port: 40009 }))
    assert.deepEqual(
      sent.map(({ send }) => send.map(placeOf)),
      [["10.0.0.9 40009"], ["10.0.0.9 40009"]],
    )
    assert.deepEqual(
      [...sent[0].send[0].bytes.subarray(24)],
      [129, 0, 0, 14, 0, 4, 0, 0x64, 0xff, 0x9b, ...zeros(8), 0, 0],
    )
  })

  it("S-84 leave out what a late caller missed, and never come sooner than they should after the one before", () => {
    const scene = new Scene()
    scene.state = announce(scene.state, 0)[0]
    const times: number[] = []
    for (scene.now = 0; scene.now < 400_000; scene.now += 900) {
      const [state, { send }] = advance(scene.state, scene.now)
      scene.state = state
      if (send.length > 0) times.push(scene.now)
    }
    assert.equal(times.length, 10)
    const gaps = times.slice(1).map((time, i) => time - times[i])
    assert.ok(gaps[0] >= 250)
    for (let i = 1; i < gaps.length; i++) assert.ok(gaps[i] >= 250 * 2 ** i, `${gaps}`)
  })

  it("S-83 begin again when asked again, and do not add up", () => {
    const scene = new Scene()
    const first = announce(scene.state, 0)[0]
    const sent = play(scene, announce(first, 100))
    assert.equal(sent.length, 10)
    assert.equal(sent[0].at, 100)
  })

  it("S-82 stay away where the profile has no announceCallback, the count is 0, or the protocol is off", () => {
    const without = new Scene({ profile: profileWith({ announceCallback: false }) })
    assert.deepEqual(play(without, announce(without.state, 0)), [])
    const none = new Scene({ announceCount: 0 })
    assert.deepEqual(play(none, announce(none.state, 0)), [])
    const natPmp = new Scene({ pcp: false })
    assert.deepEqual(
      play(natPmp, announce(natPmp.state, 0))[0].send.map(({ bytes }) => bytes[0]),
      [0],
    )
    const pcp = new Scene({ natPmp: false })
    assert.deepEqual(
      play(pcp, announce(pcp.state, 0))[0].send.map(({ bytes }) => bytes[0]),
      [2, 2],
    )
  })
})

describe("mapping updates (RFC 6887 section 14.2)", () => {
  it("S-90 S-92 have the form of the answer and go where it went, three times, each with its own epoch and lifetime", () => {
    const scene = new Scene()
    scene.send(map({ port: 4000, lifetime: 600 }))
    const mapping = { ...only(scene), external: address("198.51.100.77"), externalPort: 6000, clientPort: 40000 }
    const sent = play(scene, update(scene.state, { mapping }, 0))
    assert.deepEqual(
      sent.map(({ at }) => at),
      [0, 250, 750],
    )
    scene.now = 0
    const late = play(scene, update(scene.state, { mapping }, 99_500))
    assert.deepEqual(
      late.map(({ at }) => at),
      [99_500, 99_750, 100_250],
    )
    for (const [{ at, send }, lifetime, epoch] of [
      [sent[0], 600, 0],
      [sent[1], 599, 0],
      [late[0], 500, 99],
      [late[2], 499, 100],
    ] as const) {
      assert.deepEqual(send.map(placeOf), ["10.0.0.1 40000"])
      assert.deepEqual(
        [...send[0].bytes],
        [
          ...[2, 0x81, 0, 0, 0, 0, lifetime >> 8, lifetime & 255, 0, 0, 0, epoch, ...zeros(12)],
          ...[...NONCE, 17, 0, 0, 0, 0x0f, 0xa0, 0x17, 0x70, ...octets("198.51.100.77")],
        ],
        `at ${at}`,
      )
    }
  })

  it("S-90 of PEER have the remote peer", () => {
    const scene = new Scene()
    scene.send(peer({ port: 4000, lifetime: 600 }))
    const mapping = { ...only(scene), clientPort: 40000 }
    const [{ send }] = play(scene, update(scene.state, { mapping }, 0))
    const { bytes } = send[0]
    assert.deepEqual([bytes.length, bytes[1], bytes[3]], [80, 0x82, 0])
    assert.deepEqual([...bytes.subarray(60)], [443 >> 8, 443 & 255, 0, 0, ...octets("198.51.100.7")])
  })

  it("S-91 carry THIRD_PARTY and the filters, and go to who asked", () => {
    const scene = new Scene(THIRD_PARTY)
    const options = [...thirdParty("10.0.0.7"), ...filter(120, 443, "198.51.100.0")]
    scene.send(map({ options }))
    const details = { preferFailure: false, requester: address("10.0.0.1"), thirdPartyId: undefined, description: "x" }
    const mapping = { ...only(scene), clientPort: 40000, details }
    const filters = [{ remote: address("198.51.100.0"), prefixLength: 120, remotePort: 443 }]
    const [{ send }] = play(scene, update(scene.state, { mapping, filters }, 0))
    assert.deepEqual(send.map(placeOf), ["10.0.0.1 40000"])
    // Optional ones like DESCRIPTION stay out.
    assert.deepEqual([...send[0].bytes.subarray(60)], options)
  })

  it("S-91 carry the all-zeros THIRD_PARTY of who asked for itself with it", () => {
    const profile = profileWith({ thirdParty: true, thirdPartyZeroOnly: true })
    const scene = new Scene({ threatModel: "advanced", profile })
    scene.send(map({ options: thirdParty("0.0.0.0") }))
    const [{ send }] = play(scene, update(scene.state, { mapping: only(scene) }, 0))
    assert.deepEqual([...send[0].bytes.subarray(60)], thirdParty("0.0.0.0"))
  })

  it("S-91 tell who wanted this external end or none CANNOT_PROVIDE_EXTERNAL, with the error's lifetime", () => {
    const scene = new Scene()
    scene.send(map({ suggestedPort: 5000 }))
    const details = { preferFailure: true, requester: undefined, thirdPartyId: undefined, description: undefined }
    const mapping = { ...only(scene), clientPort: 40000, details }
    const sent = play(scene, update(scene.state, { mapping, code: 11 }, 0))
    for (const { send } of sent) {
      const { bytes } = send[0]
      assert.deepEqual([bytes[3], ...bytes.subarray(4, 8)], [11, 0, 0, 0, 30])
      assert.deepEqual([...bytes.subarray(60)], [2, 0, 0, 0])
    }
  })

  it("S-92 cease when the client refreshed that mapping, and only then", () => {
    for (const [request, times] of [
      [map({ port: 4000 }), [0]],
      [map({ port: 4000, lifetime: 0 }), [0]],
      [map({ port: 4001 }), [0, 250, 750]],
      [peer({ port: 4000 }), [0, 250, 750]],
      // Refused: nothing was refreshed.
      [map({ port: 4000, nonce: zeros(12) }), [0, 250, 750]],
    ] as const) {
      const scene = new Scene()
      scene.send(map({ port: 4000 }))
      const mapping = { ...only(scene), clientPort: 40000 }
      const first = play(scene, update(scene.state, { mapping }, 0), 0)
      scene.now = 100
      scene.raw(request)
      const rest = play(scene, [scene.state, { changes: [], next: 250 }])
      assert.deepEqual(
        [...first, ...rest].map(({ at }) => at),
        times,
      )
    }
  })

  it("S-92 go on when traffic alone keeps the internal end alive, or stops doing so", () => {
    const scene = new Scene({ idleTimeout: { udp: 1, tcp: 1 } })
    scene.send(map({ port: 4000 }))
    const mapping = only(scene)
    scene.outbound("10.0.0.1", 17, 4000)
    const first = play(scene, update(scene.state, { mapping }, 900), 900)
    // The implicit mapping runs out at 1 s.
    const rest = play(scene, [scene.state, { changes: [], next: 1100 }])
    assert.deepEqual(
      [...first, ...rest].map(({ at }) => at),
      [900, 1150, 1650],
    )
  })

  it("S-92 give way to a newer one of the same mapping", () => {
    const scene = new Scene()
    scene.send(map({ port: 4000 }))
    const mapping = { ...only(scene), clientPort: 40000 }
    scene.state = update(scene.state, { mapping }, 0)[0]
    const sent = play(scene, update(scene.state, { mapping: { ...mapping, externalPort: 7777 } }, 0))
    assert.deepEqual(
      sent.map(({ at, send }) => [at, send.length, send[0].bytes[42] * 256 + send[0].bytes[43]]),
      [
        [0, 1, 7777],
        [250, 1, 7777],
        [750, 1, 7777],
      ],
    )
  })

  it("S-90 speak NAT-PMP of what NAT-PMP made", () => {
    const scene = new Scene()
    scene.reply(natPmpMap(2, 4000, 0, 3600))
    const mapping = { ...only(scene), clientPort: 40001, externalPort: 6000 }
    const [{ send }] = play(scene, update(scene.state, { mapping }, 5000))
    assert.deepEqual(send.map(placeOf), ["10.0.0.1 40001"])
    const left = 3600 - 5
    assert.deepEqual(
      [...send[0].bytes],
      [0, 130, 0, 0, 0, 0, 0, 5, 0x0f, 0xa0, 0x17, 0x70, 0, 0, left >> 8, left & 255],
    )
    const [{ send: lost }] = play(scene, update(scene.state, { mapping, code: 8 }, 6000))
    assert.deepEqual([...lost[0].bytes], [0, 130, 0, 4, 0, 0, 0, 6, 0x0f, 0xa0, 0, 0, 0, 0, 0, 0])
  })

  it("S-90 need a client to go to, and a profile that has them", () => {
    const scene = new Scene()
    scene.send(map())
    const mapping = only(scene)
    assert.deepEqual(play(scene, update(scene.state, { mapping: { ...mapping, clientPort: 0 } }, 0)), [])
    const without = new Scene({ profile: profileWith({ updateCallback: false }) })
    assert.deepEqual(play(without, update(without.state, { mapping: { ...mapping, clientPort: 9 } }, 0)), [])
  })

  it("S-92 are bounded: those over the limit are left out, and each call of advance sends some hundreds", () => {
    const scene = new Scene({ updateLimit: 1000 })
    scene.send(map())
    const mapping = { ...only(scene), clientPort: 40000 }
    let { state } = scene
    for (let internalPort = 1; internalPort <= 1500; internalPort++)
      state = update(state, { mapping: { ...mapping, internalPort } }, 0)[0]
    const sent = play(scene, [state, { changes: [], next: 0 }])
    const ports = sent.flatMap(({ send }) => send.map(({ bytes }) => bytes[40] * 256 + bytes[41]))
    assert.equal(ports.length, 3000)
    assert.deepEqual(
      [...new Set(ports)].sort((a, b) => a - b),
      Array.from({ length: 1000 }, (_, i) => i + 1),
    )
    assert.ok(sent.every(({ send }) => send.length <= 256))
  })

  it("S-92 leave an old state as it was", () => {
    const scene = new Scene()
    scene.send(map())
    const mapping = { ...only(scene), clientPort: 40000 }
    const [begun, pushed] = update(scene.state, { mapping }, 0)
    const once = play(scene, [begun, pushed])
    assert.deepEqual(play(scene, [begun, pushed]), once)
  })
})
