import { useRef, useState } from "preact/hooks"
import { AttemptForm } from "./attempt.tsx"
import { BranchGraph } from "./branch-graph.tsx"
import { clockText } from "./clock.ts"
import type { Room } from "./room.ts"

export const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] as const

/** The bar on top: where one is in time, and how one gets elsewhere. */
export const Transport = ({ room }: { readonly room: Room }) => {
  const [open, setOpen] = useState(false)
  const opener = useRef<HTMLButtonElement>(null)
  const replay = room.replay.value
  const now = room.now.value
  const end = replay?.end ?? 0
  const playing = room.playing.value
  return (
    <section class="rv-transport" aria-label="time">
      <div class="rv-controls">
        <div class="rv-buttons">
          <button
            type="button"
            aria-label="to the start"
            title="to the start (Home)"
            onClick={() => room.move("start")}
          >
            <Shape path="M4 4h2v8H4zM13 4v8L7 8z" />
          </button>
          <button type="button" aria-label="step back" title="step back (←)" onClick={() => room.move("back")}>
            <Shape path="M11 4v8L4 8z" />
          </button>
          <button
            type="button"
            class="rv-play"
            aria-label={playing ? "pause" : "play"}
            title={playing ? "pause (space)" : "play (space)"}
            onClick={() => togglePlay(room)}
          >
            <Shape path={playing ? "M4 3h3v10H4zM9 3h3v10H9z" : "M4 3v10l9-5z"} />
          </button>
          <button type="button" aria-label="step" title="step (→)" onClick={() => room.move("forth")}>
            <Shape path="M5 4v8l7-4z" />
          </button>
          <button type="button" aria-label="to the end" title="to the end (End)" onClick={() => room.move("end")}>
            <Shape path="M3 4v8l6-4zM10 4h2v8h-2z" />
          </button>
        </div>
        <label class="rv-speed">
          <span class="rv-unseen">speed</span>
          <select
            value={`${room.speed.value}`}
            onChange={(event) => {
              room.speed.value = Number(event.currentTarget.value)
            }}
          >
            {SPEEDS.map((speed) => (
              <option key={speed} value={`${speed}`}>
                {speed}×
              </option>
            ))}
          </select>
        </label>
        <output class="rv-clock rv-mono" aria-label="instant">
          {clockText(now)}
        </output>
        <span class="rv-of rv-mono">of {clockText(end)}</span>
        <button ref={opener} type="button" class="rv-try" aria-expanded={open} onClick={() => setOpen(!open)}>
          + try a packet here
        </button>
      </div>
      <div class="rv-scrub">
        <input
          type="range"
          min={0}
          max={end}
          step={1}
          value={now}
          aria-label="instant of the session"
          aria-valuetext={`${clockText(now)} of ${clockText(end)}`}
          onInput={(event) => {
            room.playing.value = false
            room.goTo(Number(event.currentTarget.value))
          }}
        />
        <BranchGraph room={room} />
      </div>
      {open ? (
        <AttemptForm
          room={room}
          onDone={() => {
            setOpen(false)
            opener.current?.focus()
          }}
        />
      ) : null}
    </section>
  )
}

const Shape = ({ path }: { readonly path: string }) => (
  <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
    <path d={path} fill="currentColor" />
  </svg>
)

/** Plays on; from the beginning where it had come to the end. */
export const togglePlay = (room: Room): void => {
  const end = room.replay.value?.end ?? 0
  if (!room.playing.value && room.now.value >= end) room.goTo(0)
  room.playing.value = !room.playing.value
}
