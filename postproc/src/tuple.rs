//! Tuples: one removal pair of a Shot, and what each object is to it.
//!
//! A Shot may hold several removed sets (worlds `removed`, `removed_2`, …). Each makes one tuple
//! and, in the end, one sample folder. The role of an object belongs to the tuple: what is taken
//! out in `removed` stays in `removed_2`.

use diorama_synth::shot::{Role, Shot};
use serde::{Deserialize, Serialize};

use crate::error::{PostprocError, Result};

/// What an object is to one tuple.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Floor, dome, walls: in both worlds.
    Background,
    /// Foreground in both worlds.
    Keep,
    /// In the full world only.
    Remove,
    /// Counterfactual pairs: a kept object that moves differently once the others are gone. This is
    /// its motion in the full world; a [`Fate::Twin`] of the same name has the other one.
    Moved,
    /// Counterfactual pairs: the motion of a [`Fate::Moved`] object in the removed world.
    Twin,
    /// In neither world of this tuple.
    Elsewhere,
}

/// One removal pair: the full world and another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuple {
    /// Index into `Shot::worlds` of the world without the removed objects.
    pub world: usize,
    /// Id of the sample: the Shot's for world `removed`, with `_2` for `removed_2`, and so on.
    pub sample_id: String,
    /// Per object of `Shot::objects`, in order.
    pub fates: Vec<Fate>,
    /// Ids of the objects, ascending, in the order of `fates`.
    ids: Vec<u32>,
}

impl Tuple {
    /// Every tuple of a Shot, in the order of its worlds.
    ///
    /// # Errors
    /// When the first world is not `full` or no world is called `removed` or `removed_N`.
    pub fn all(shot: &Shot) -> Result<Vec<Self>> {
        let wrong = |reason: &str| PostprocError::Shot {
            id: shot.sample_id.clone(),
            reason: reason.into(),
        };
        if shot.worlds.first().is_none_or(|w| w.name != "full") {
            return Err(wrong("its first world is not called `full`"));
        }
        let tuples: Vec<Self> = shot
            .worlds
            .iter()
            .enumerate()
            .filter_map(|(index, world)| {
                let suffix = world.name.strip_prefix("removed")?;
                (suffix.is_empty() || suffix.starts_with('_'))
                    .then(|| Self::of(shot, index, suffix))
            })
            .collect();
        if tuples.is_empty() {
            return Err(wrong(
                "no world is called `removed`, so there is no pair to make a sample of",
            ));
        }
        Ok(tuples)
    }

    fn of(shot: &Shot, world: usize, suffix: &str) -> Self {
        let fates = shot
            .objects
            .iter()
            .map(
                |object| match (object.worlds.contains(0), object.worlds.contains(world)) {
                    (true, true) if object.role == Role::Background => Fate::Background,
                    (true, true) => Fate::Keep,
                    (true, false) => {
                        let has_twin = shot.objects.iter().any(|other| {
                            other.id != object.id
                                && other.name == object.name
                                && other.worlds.contains(world)
                        });
                        if has_twin { Fate::Moved } else { Fate::Remove }
                    }
                    (false, true) => Fate::Twin,
                    (false, false) => Fate::Elsewhere,
                },
            )
            .collect();
        Self {
            world,
            sample_id: format!("{}{suffix}", shot.sample_id),
            fates,
            ids: shot.objects.iter().map(|o| o.id).collect(),
        }
    }

    /// Index into `Shot::objects` of the object with this id; `None` for the environment (0) and
    /// for ids that the Shot does not have.
    pub fn index_of(&self, id: u32) -> Option<usize> {
        self.ids.binary_search(&id).ok()
    }

    /// Fate of the object of this id; the environment is background.
    pub fn fate_of(&self, id: u32) -> Fate {
        self.index_of(id)
            .map_or(Fate::Background, |index| self.fates[index])
    }

    /// Does any object move differently in the removed world?
    pub fn is_counterfactual(&self) -> bool {
        self.fates.contains(&Fate::Moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn roles_follow_the_world_not_the_object() {
        let shot = testing::two_tuple_shot();
        let tuples = Tuple::all(&shot).unwrap();
        assert_eq!(tuples.len(), 2);
        assert_eq!(tuples[0].sample_id, "000007");
        assert_eq!(tuples[1].sample_id, "000007_2");
        // floor, ball, cube, gear: the ball goes in the first, the cube in the second.
        assert_eq!(
            tuples[0].fates,
            [Fate::Background, Fate::Remove, Fate::Keep, Fate::Keep]
        );
        assert_eq!(
            tuples[1].fates,
            [Fate::Background, Fate::Keep, Fate::Remove, Fate::Keep]
        );
        assert_eq!(tuples[0].fate_of(0), Fate::Background);
    }

    #[test]
    fn a_twin_makes_its_object_moved_not_removed() {
        let shot = testing::counterfactual_shot();
        let tuples = Tuple::all(&shot).unwrap();
        assert_eq!(
            tuples[0].fates,
            [Fate::Background, Fate::Remove, Fate::Moved, Fate::Twin]
        );
        assert!(tuples[0].is_counterfactual());
    }

    #[test]
    fn a_shot_without_a_removed_world_is_refused() {
        let mut shot = testing::two_tuple_shot();
        shot.worlds.truncate(1);
        assert!(
            Tuple::all(&shot)
                .unwrap_err()
                .to_string()
                .contains("`removed`")
        );
    }
}
