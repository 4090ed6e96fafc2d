import { type Capture, storyOf } from "../model/capture/index.ts"

/** Of the chosen packet's exchange: who asked, how often, who answered and when, and whether that is as the RFCs have it. */
export const ExchangeStory = ({
  capture,
  chosen,
  onChoose,
}: {
  readonly capture: Capture
  readonly chosen: number
  readonly onChoose: (row: number) => void
}) => {
  const lines = storyOf(capture, chosen)
  if (lines.length === 0) return null
  return (
    <section class="story" aria-label="Exchange">
      <ul>
        {lines.map(({ text, rows, odd, clause }) => (
          <li key={`${text} ${rows.join(" ")}`}>
            {odd && <span class="sign">▲ </span>}
            {text}
            {rows.map((row) => (
              <span key={row}>
                {" "}
                {row === chosen ? (
                  <b>#{row + 1}</b>
                ) : (
                  <button
                    type="button"
                    class="quiet"
                    aria-label={`Go to packet ${row + 1}`}
                    onClick={() => onChoose(row)}
                  >
                    #{row + 1}
                  </button>
                )}
              </span>
            ))}
            {clause !== "" && <span class="muted"> ({clause})</span>}
          </li>
        ))}
      </ul>
    </section>
  )
}
