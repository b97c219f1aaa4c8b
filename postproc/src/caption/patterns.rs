//! The sentence patterns: data, one line each.
//!
//! `{name}` is a blank. A pattern can be used when all its blanks are known; blanks that may be
//! empty (`{place}`, `{light}`) carry their own leading space.

/// Where in a caption a sentence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The whole of the short caption.
    Short,
    /// What is there.
    Opening,
    /// What moves, first sentence.
    Motion,
    /// What else moves.
    MoreMotion,
    /// Nothing moves.
    Still,
    /// Where one thing is.
    Detail,
    /// Walls and other scenery.
    Scenery,
    /// Place and light.
    Light,
    /// Camera.
    Camera,
    /// Nothing is left.
    Empty,
}

/// Every pattern.
pub const PATTERNS: &[(Slot, &str)] = &[
    (Slot::Short, "{list} {all_verbs}{place}{light}."),
    (Slot::Short, "{list}{place}{light}."),
    (
        Slot::Short,
        "{list}{place}, with the camera {camera_participle}.",
    ),
    (Slot::Short, "{list} {all_participles}{place}{light}."),
    (Slot::Short, "{light_lead}, {list} {all_verbs}{place}."),
    (Slot::Short, "there {is} {list}{place}{light}."),
    (Slot::Short, "a clip of {list}{place}{light}."),
    (Slot::Short, "{lead}, {list} {all_verbs}{light}."),
    (Slot::Short, "{list}{place} as the camera {camera}."),
    (
        Slot::Short,
        "{list}{place}, with {mover} {mover_participles}.",
    ),
    (Slot::Opening, "there {is} {list}{place}."),
    (Slot::Opening, "the scene shows {list}{place}."),
    (Slot::Opening, "the video shows {list}{place}."),
    (Slot::Opening, "{list} {is} seen{place}."),
    (Slot::Opening, "{list} {appear}{place}."),
    (Slot::Opening, "{lead}, there {is} {list}."),
    (Slot::Opening, "a view of {list}{place}."),
    (Slot::Opening, "this is a clip of {list}{place}."),
    (Slot::Opening, "the camera looks at {list}{place}."),
    (Slot::Opening, "the frame holds {list}{place}."),
    (Slot::Opening, "in view {is} {list}{place}."),
    (Slot::Opening, "{lead} {is} {list}."),
    (Slot::Motion, "{subject} {verbs}."),
    (Slot::Motion, "during the clip, {subject} {verbs}."),
    (Slot::Motion, "{subject} can be seen {participles}."),
    (Slot::Motion, "we watch {subject} {infinitives}."),
    (Slot::Motion, "over time, {subject} {verbs}."),
    (Slot::Motion, "as the clip runs, {subject} {verbs}."),
    (Slot::MoreMotion, "meanwhile, {subject} {verbs}."),
    (Slot::MoreMotion, "at the same time, {subject} {verbs}."),
    (Slot::MoreMotion, "elsewhere, {subject} {verbs}."),
    (Slot::MoreMotion, "{subject} {verbs}."),
    (
        Slot::MoreMotion,
        "{subject} can also be seen {participles}.",
    ),
    (Slot::Still, "nothing in the scene moves."),
    (Slot::Still, "everything stays where it is."),
    (Slot::Still, "{subject} {verbs} all the while."),
    (Slot::Still, "there is no motion among the things in view."),
    (Slot::Still, "all is still."),
    (Slot::Detail, "{one} {one_is} {side} of the picture."),
    (Slot::Detail, "{side} of the picture {one_is} {one}."),
    (Slot::Detail, "{one} can be seen {side}."),
    (Slot::Detail, "{side}, we see {one}."),
    (Slot::Scenery, "there {scenery_is} also {scenery}."),
    (Slot::Scenery, "{scenery} {scenery_is} in view as well."),
    (Slot::Scenery, "{scenery} can be seen nearby."),
    (Slot::Light, "the scene is set {light_phrase}."),
    (Slot::Light, "it all takes place {light_phrase}."),
    (Slot::Light, "everything is seen {light_phrase}."),
    (Slot::Light, "the clip plays out {light_phrase}."),
    (Slot::Light, "the scene is {lit_phrase}."),
    (Slot::Light, "everything is {lit_phrase}."),
    (Slot::Camera, "the camera {camera}."),
    (Slot::Camera, "meanwhile, the camera {moving_camera}."),
    (Slot::Camera, "throughout, the camera {camera}."),
    (Slot::Camera, "the view comes from a camera that {camera}."),
    (Slot::Camera, "it is filmed with a camera that {camera}."),
    (Slot::Camera, "the camera does not move{fixed}."),
    (Slot::Camera, "the view is fixed{fixed}."),
    (Slot::Empty, "the scene is empty{light}."),
    (Slot::Empty, "nothing stands on {support}{light}."),
    (Slot::Empty, "an empty scene{light}."),
    (Slot::Empty, "there is nothing on {support}{light}."),
];
