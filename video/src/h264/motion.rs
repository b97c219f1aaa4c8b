//! Exact motion: where in the previous frame a block of a mask already stands.
//!
//! Masks have few distinct 4×4 patterns, so nearly every piece of a moving outline can be copied. Motion is in
//! whole pixels; the grey chroma needs none.

use std::cell::OnceCell;

use super::luma::{Block, Luma};
use crate::bits::se_length;

/// Whole pixels from a block to where it is copied from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Motion {
    pub(super) x: i32,
    pub(super) y: i32,
}

impl Motion {
    /// How it differs from `predicted`.
    pub(super) fn minus(self, predicted: Self) -> Self {
        Self {
            x: self.x - predicted.x,
            y: self.y - predicted.y,
        }
    }

    /// Bits of this motion when `predicted` is expected; mvd is in quarter pixels.
    pub(super) fn cost(self, predicted: Self) -> u32 {
        se_length(4 * (self.x - predicted.x)) + se_length(4 * (self.y - predicted.y))
    }
}

/// Longest motion in either direction, pixels: what every level from 1.1 on allows (table A-1).
const LONGEST: i32 = 127;

/// Patterns of the previous frame that are kept; a frame with more is noise that motion does not help.
const MOST_PATTERNS: usize = 1 << 18;

/// Rows above a block where the search for its pattern starts.
const ROWS_ABOVE: usize = 32;

/// Places that are compared before the best so far is taken.
const MOST_PLACES: usize = 256;

/// Recent motions that are tried first.
const RECENT: usize = 8;

/// Radius of the search for flat ground, pixels.
const FLAT_RADIUS: i32 = 20;

/// What a 4×4 block of the frame in work is, as far as later blocks may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    /// Not yet coded: not available.
    Ahead,
    Intra,
    Inter(Motion),
}

/// The motion of every 4×4 block coded so far, for prediction (8.4.1.3).
#[derive(Debug)]
pub(super) struct MotionField {
    columns: usize,
    cells: Vec<Cell>,
}

impl MotionField {
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self {
            columns: width / 4,
            cells: vec![Cell::Ahead; width / 4 * (height / 4)],
        }
    }

    /// A new frame: nothing is coded.
    pub(super) fn clear(&mut self) {
        self.cells.fill(Cell::Ahead);
    }

    fn fill(&mut self, block: Block, cell: Cell) {
        for row in block.y / 4..(block.y + block.height) / 4 {
            let start = row * self.columns + block.x / 4;
            self.cells[start..start + block.width / 4].fill(cell);
        }
    }

    pub(super) fn set(&mut self, block: Block, motion: Motion) {
        self.fill(block, Cell::Inter(motion));
    }

    pub(super) fn set_intra(&mut self, block: Block) {
        self.fill(block, Cell::Intra);
    }

    /// Takes back what a trial has set.
    pub(super) fn unset(&mut self, block: Block) {
        self.fill(block, Cell::Ahead);
    }

    /// The cell that holds the pixel (x, y); `Ahead` outside the picture.
    fn cell(&self, x: isize, y: isize) -> Cell {
        let columns = self.columns as isize;
        if x < 0 || y < 0 || x / 4 >= columns {
            return Cell::Ahead;
        }
        let at = (y / 4 * columns + x / 4) as usize;
        self.cells.get(at).copied().unwrap_or(Cell::Ahead)
    }

    /// Neighbours A, B and C (or D in its place) of `block`.
    fn neighbours(&self, block: Block) -> [Cell; 3] {
        let (x, y) = (block.x as isize, block.y as isize);
        let left = self.cell(x - 1, y);
        let above = self.cell(x, y - 1);
        let corner = match self.cell(x + block.width as isize, y - 1) {
            Cell::Ahead => self.cell(x - 1, y - 1),
            right => right,
        };
        [left, above, corner]
    }

    /// Median prediction.
    pub(super) fn predict(&self, block: Block) -> Motion {
        let [a, mut b, mut c] = self.neighbours(block);
        if b == Cell::Ahead && c == Cell::Ahead {
            (b, c) = (a, a);
        }
        let known: Vec<Motion> = [a, b, c]
            .into_iter()
            .filter_map(|cell| match cell {
                Cell::Inter(motion) => Some(motion),
                _ => None,
            })
            .collect();
        if let [only] = known[..] {
            return only;
        }
        let value = |cell| match cell {
            Cell::Inter(motion) => motion,
            _ => Motion::default(),
        };
        let (a, b, c) = (value(a), value(b), value(c));
        Motion {
            x: median(a.x, b.x, c.x),
            y: median(a.y, b.y, c.y),
        }
    }

    /// Motion of a skipped macroblock (8.4.1.1).
    pub(super) fn skip_motion(&self, macroblock: Block) -> Motion {
        let [a, b, _] = self.neighbours(macroblock);
        let still = Cell::Inter(Motion::default());
        if [a, b]
            .iter()
            .any(|&cell| cell == Cell::Ahead || cell == still)
        {
            return Motion::default();
        }
        self.predict(macroblock)
    }
}

fn median(a: i32, b: i32, c: i32) -> i32 {
    a.max(b).min(a.min(b).max(c))
}

/// Every 4×4 pattern of a frame that is not flat, with its places.
#[derive(Debug)]
struct PatternIndex {
    /// Pattern, row, column; sorted.
    places: Vec<(u128, u16, u16)>,
}

impl PatternIndex {
    /// Of `picture`; `None` if it has too many patterns for a search to pay.
    fn build(picture: &Luma) -> Option<Self> {
        let mut places = Vec::new();
        for y in 0..=picture.height - 4 {
            for x in 0..=picture.width - 4 {
                let quad = picture.quad(x, y);
                let is_flat = quad == (quad & 0xFF) * 0x0101_0101
                    && (1..4).all(|row| picture.quad(x, y + row) == quad);
                if !is_flat {
                    if places.len() == MOST_PATTERNS {
                        return None;
                    }
                    places.push((picture.pattern(x, y), y as u16, x as u16));
                }
            }
        }
        places.sort_unstable();
        Some(Self { places })
    }

    /// Columns and rows where `pattern` stands, top to bottom, from `first_row` on.
    fn places(&self, pattern: u128, first_row: usize) -> impl Iterator<Item = (usize, usize)> {
        let start = self
            .places
            .partition_point(|&(p, y, _)| (p, usize::from(y)) < (pattern, first_row));
        self.places[start..]
            .iter()
            .take_while(move |&&(p, ..)| p == pattern)
            .map(|&(_, y, x)| (usize::from(x), usize::from(y)))
    }
}

/// Looks for blocks of `current` in `previous`.
#[derive(Debug)]
pub(super) struct MotionSearch<'a> {
    current: &'a Luma,
    previous: &'a Luma,
    /// Of `previous`; built when first asked.
    index: OnceCell<Option<PatternIndex>>,
    /// The newest motions, newest first.
    recent: Vec<Motion>,
}

impl<'a> MotionSearch<'a> {
    pub(super) fn new(current: &'a Luma, previous: &'a Luma) -> Self {
        Self {
            current,
            previous,
            index: OnceCell::new(),
            recent: vec![Motion::default()],
        }
    }

    /// Whether copying from `motion` away gives exactly `block`. Only motions inside the picture count.
    pub(super) fn matches(&self, block: Block, motion: Motion) -> bool {
        let (x, y) = (block.x as i32 + motion.x, block.y as i32 + motion.y);
        let is_inside = motion.x.abs() <= LONGEST
            && motion.y.abs() <= LONGEST
            && x >= 0
            && y >= 0
            && x as usize + block.width <= self.previous.width
            && y as usize + block.height <= self.previous.height;
        is_inside
            && (0..block.height).all(|row| {
                self.current.row(block.x, block.y + row, block.width)
                    == self.previous.row(x as usize, y as usize + row, block.width)
            })
    }

    /// Remembers a motion that was used.
    pub(super) fn used(&mut self, motion: Motion) {
        self.recent.retain(|&m| m != motion);
        self.recent.insert(0, motion);
        self.recent.truncate(RECENT);
    }

    /// `predicted`, or else the cheapest recent motion that gives `block`.
    pub(super) fn nearby(&self, block: Block, predicted: Motion) -> Option<Motion> {
        if self.matches(block, predicted) {
            return Some(predicted);
        }
        self.recent
            .iter()
            .copied()
            .filter(|&motion| self.matches(block, motion))
            .min_by_key(|motion| motion.cost(predicted))
    }

    /// A cheap motion that gives `block`, from anywhere within reach.
    pub(super) fn find(&self, block: Block, predicted: Motion) -> Option<Motion> {
        if let Some(motion) = self.nearby(block, predicted) {
            return Some(motion);
        }
        if self.current.flat_value(block).is_some() {
            return self.find_flat(block, predicted);
        }
        let index = self
            .index
            .get_or_init(|| PatternIndex::build(self.previous))
            .as_ref()?;
        // The first piece that is not flat stands for the block.
        let (x, y) = (0..block.height)
            .step_by(4)
            .flat_map(|row| (0..block.width).step_by(4).map(move |column| (column, row)))
            .map(|(column, row)| (block.x + column, block.y + row))
            .find(|&(x, y)| {
                let piece = Block {
                    x,
                    y,
                    width: 4,
                    height: 4,
                };
                self.current.flat_value(piece).is_none()
            })?;
        index
            .places(self.current.pattern(x, y), y.saturating_sub(ROWS_ABOVE))
            .take(MOST_PLACES)
            .map(|(from_x, from_y)| Motion {
                x: from_x as i32 - x as i32,
                y: from_y as i32 - y as i32,
            })
            .filter(|&motion| self.matches(block, motion))
            .min_by_key(|motion| motion.cost(predicted))
    }

    /// The nearest ground, in rings around `predicted`, that is as flat as `block`.
    fn find_flat(&self, block: Block, predicted: Motion) -> Option<Motion> {
        (1..=FLAT_RADIUS).find_map(|radius| {
            let ring = (-radius..=radius).flat_map(|along| {
                [
                    (along, -radius),
                    (along, radius),
                    (-radius, along),
                    (radius, along),
                ]
            });
            ring.map(|(x, y)| Motion {
                x: predicted.x + x,
                y: predicted.y + y,
            })
            .find(|&motion| self.matches(block, motion))
        })
    }
}
