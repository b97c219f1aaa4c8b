//! Rendering and writing at the same time: frame n + 1 is rendered while frame n is encoded.
//!
//! A bounded channel stands between the two, so that memory does not grow with the clip however
//! slow the writer is.

use std::sync::mpsc::sync_channel;
use std::thread;

use anyhow::{Context as _, Result, anyhow};
use diorama_synth::frame::Frame;

use crate::exit::panic_message;

/// Frames that may wait for the writer: one, beside the one being written and the one being rendered.
const WAITING: usize = 1;

/// Sends frames 0..`count` from `render` to `write`, which runs in a thread of its own.
///
/// Ends with the first error of either side; the writer's comes first, because a writer that has
/// gone is also what stops the renderer.
pub fn stream<W>(
    count: u32,
    mut render: impl FnMut(u32) -> Result<Frame>,
    mut write: W,
) -> Result<()>
where
    W: FnMut(Frame) -> Result<()> + Send,
{
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel::<Frame>(WAITING);
        let writer = thread::Builder::new()
            .name("encode".into())
            .spawn_scoped(scope, move || -> Result<()> {
                for frame in receiver {
                    write(frame)?;
                }
                Ok(())
            })
            .context("cannot start the encoding thread")?;
        let mut rendered = Ok(());
        for index in 0..count {
            match render(index) {
                Ok(frame) => {
                    if sender.send(frame).is_err() {
                        break; // the writer has failed: its own error says why
                    }
                }
                Err(error) => {
                    rendered = Err(error);
                    break;
                }
            }
        }
        drop(sender);
        let written = writer.join().map_err(|payload| {
            anyhow!(
                "internal error while encoding: {}",
                panic_message(payload.as_ref())
            )
        })?;
        written.and(rendered)
    })
}

/// [`stream`] with two frames in work at a time, every other one in a thread of its own: what a frame can
/// do in one thread only costs the others nothing. Which thread a frame is made in changes nothing of it.
pub(super) fn stream_two<W>(
    count: u32,
    render: impl Fn(u32) -> Result<Frame> + Sync,
    write: W,
) -> Result<()>
where
    W: FnMut(Frame) -> Result<()> + Send,
{
    let render = &render;
    thread::scope(|scope| {
        // Handed over, not queued: one frame waits at most, in the hands of who made it.
        let (sender, receiver) = sync_channel::<Result<Frame>>(0);
        let second = thread::Builder::new()
            .name("render".into())
            .spawn_scoped(scope, move || {
                for index in (1..count).step_by(2) {
                    let frame = render(index);
                    let is_last = frame.is_err();
                    if sender.send(frame).is_err() || is_last {
                        break;
                    }
                }
            })
            .context("cannot start the second rendering thread")?;
        let streamed = stream(
            count,
            |index| {
                if index % 2 == 0 {
                    render(index)
                } else {
                    receiver
                        .recv()
                        .unwrap_or_else(|_| Err(anyhow!("the second rendering thread is gone")))
                }
            },
            write,
        );
        drop(receiver);
        second.join().map_err(|payload| {
            anyhow!(
                "internal error while rendering: {}",
                panic_message(payload.as_ref())
            )
        })?;
        streamed
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn frame(index: u32) -> Frame {
        Frame {
            index,
            ..Frame::default()
        }
    }

    #[test]
    fn frames_arrive_in_order_and_few_wait() {
        let seen = Mutex::new(Vec::new());
        let written = AtomicU32::new(0);
        stream(
            50,
            |index| {
                // In flight: one being written, WAITING in the channel, one just rendered.
                assert!(index <= written.load(Ordering::SeqCst) + WAITING as u32 + 2);
                Ok(frame(index))
            },
            |frame| {
                thread::sleep(std::time::Duration::from_micros(200));
                seen.lock().unwrap().push(frame.index);
                written.fetch_add(1, Ordering::SeqCst);
                Ok(())
            },
        )
        .unwrap();
        assert_eq!(*seen.lock().unwrap(), (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn a_writer_that_fails_stops_the_renderer() {
        let mut rendered = 0;
        let error = stream(
            1000,
            |index| {
                rendered += 1;
                Ok(frame(index))
            },
            |frame| {
                if frame.index == 3 {
                    Err(anyhow!("disk full"))
                } else {
                    Ok(())
                }
            },
        )
        .unwrap_err();
        assert_eq!(error.to_string(), "disk full");
        assert!(rendered < 10, "{rendered}");
    }

    #[test]
    fn two_frames_at_a_time_arrive_in_order_and_fail_alike() {
        let render = |index: u32| {
            // Odd ones are late.
            thread::sleep(std::time::Duration::from_micros(u64::from(index % 2) * 300));
            match index {
                31 => Err(anyhow!("bad asset")),
                _ => Ok(frame(index)),
            }
        };
        let mut seen = Vec::new();
        let mut note = |frame: Frame| {
            seen.push(frame.index);
            Ok(())
        };
        stream_two(31, render, &mut note).unwrap();
        let error = stream_two(50, render, &mut note).unwrap_err();
        assert_eq!(error.to_string(), "bad asset");
        assert_eq!(seen, (0..31).chain(0..31).collect::<Vec<_>>());
        let full = |_| Err(anyhow!("disk full"));
        let error = stream_two(1000, |index| Ok(frame(index)), full).unwrap_err();
        assert_eq!(error.to_string(), "disk full");
        let panics = |index: u32| match index {
            3 => panic!("odd"),
            _ => Ok(frame(index)),
        };
        let error = stream_two(9, panics, |_| Ok(())).unwrap_err();
        assert_eq!(error.to_string(), "internal error while rendering: odd");
    }

    #[test]
    fn a_renderer_that_fails_is_reported() {
        let error = stream(
            5,
            |index| {
                if index == 2 {
                    Err(anyhow!("bad asset"))
                } else {
                    Ok(frame(index))
                }
            },
            |_| Ok(()),
        )
        .unwrap_err();
        assert_eq!(error.to_string(), "bad asset");
    }
}
