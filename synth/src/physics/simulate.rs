//! The rigid-body simulation: motions through a clip, and settling before one.

use std::collections::BTreeMap;
use std::sync::Arc;

use glam::Vec3;
use rapier3d::prelude::{
    ColliderBuilder, ColliderHandle, PhysicsWorld, RigidBodyBuilder, RigidBodyHandle,
};

use super::shape::rapier_pose;
use super::{BodyShape, PhysicsError};
use crate::shot::{Contact, Pose};

/// Physics steps per second; one frame is a whole number of them.
pub const STEPS_PER_SECOND: u32 = 240;
/// Shapes closer than this, metres, touch.
pub const TOUCH_DISTANCE: f32 = 2.0e-3;
/// At rest: slower than this, m/s.
const REST_SPEED: f32 = 5.0e-3;
/// At rest: turning slower than this, rad/s.
const REST_SPIN: f32 = 2.0e-2;
/// At rest: for this long.
const REST_STEPS: u32 = STEPS_PER_SECOND / 2;

/// How a body moves.
#[derive(Debug, Clone)]
pub enum Motion {
    /// Never moves.
    Fixed,
    /// Goes its own way, whatever is in it.
    Led(Arc<Led>),
    /// Moves under gravity and contacts.
    Dynamic {
        /// Kilograms.
        mass_kg: f32,
        /// m/s, world, of the centre of mass.
        linear_velocity: Vec3,
    },
}

/// The way of a body that nothing holds up.
#[derive(Debug, Clone)]
pub struct Led {
    /// Poses at the start and after every frame; straight and evenly turned in between.
    pub way: Vec<Pose>,
    /// What others meet; empty: the body's own shape.
    pub limbs: Vec<Limb>,
}

/// A part of somebody who moves: rigid, with a way of its own.
#[derive(Debug, Clone)]
pub struct Limb {
    /// Collision shape.
    pub shape: BodyShape,
    /// World poses at the start and after every frame.
    pub way: Vec<Pose>,
}

/// One body of a simulation.
#[derive(Debug, Clone)]
pub struct Body {
    /// Object id, unique; for contacts and messages.
    pub id: u32,
    /// Collision shape; of somebody with limbs a shape around all of them, in all poses.
    pub shape: Arc<BodyShape>,
    /// How it starts.
    pub motion: Motion,
    /// Coulomb coefficient; a pair uses the mean of its two.
    pub friction: f32,
    /// Restitution coefficient; a pair uses the mean of its two.
    pub restitution: f32,
    /// Where it starts.
    pub pose: Pose,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Per body, in the order given: its pose at the start and after every frame
    /// (`intervals + 1` values).
    pub frames: Vec<Vec<Pose>>,
    /// Per body: its pose at the start and after every step; empty unless asked for.
    pub steps: Vec<Vec<Pose>>,
    /// Touches, by interval then ids: `Contact::frame` is the interval (0-based) in which the two
    /// began to touch.
    pub contacts: Vec<Contact>,
}

struct Running {
    world: PhysicsWorld,
    handles: Vec<RigidBodyHandle>,
    /// Everything that goes its own way: body, and which of its limbs.
    led: Vec<(RigidBodyHandle, usize, Option<usize>)>,
}

impl Running {
    fn new(bodies: &[Body], gravity: Vec3, settling: bool) -> Self {
        let mut world = PhysicsWorld {
            gravity,
            ..PhysicsWorld::default()
        };
        world.integration_parameters.dt = 1.0 / STEPS_PER_SECOND as f32;
        world.integration_parameters.num_solver_iterations = 8;
        // Reported contacts and resting gaps must not be stale by the recycling distance.
        world.integration_parameters.contact_recycling = false;
        let mut handles = Vec::new();
        let mut led = Vec::new();
        for (index, body) in bodies.iter().enumerate() {
            let collider = |shape: &BodyShape| {
                ColliderBuilder::new(shape.shape.clone())
                    .friction(body.friction)
                    .restitution(if settling { 0.0 } else { body.restitution })
                    .density(0.0)
                    .user_data(u128::from(body.id))
            };
            if let Motion::Led(own) = &body.motion
                && !own.limbs.is_empty()
            {
                for (which, limb) in own.limbs.iter().enumerate() {
                    let start = limb.way.first().unwrap_or(&body.pose);
                    let builder = RigidBodyBuilder::kinematic_position_based();
                    let builder = builder.pose(rapier_pose(start));
                    let (handle, _) = world.insert(builder, collider(&limb.shape));
                    led.push((handle, index, Some(which)));
                }
                let builder = RigidBodyBuilder::kinematic_position_based();
                let whole = world.insert_body(builder.pose(rapier_pose(&body.pose)));
                led.push((whole, index, None));
                handles.push(whole);
                continue;
            }
            let mut collider = collider(&body.shape);
            let builder = match &body.motion {
                Motion::Fixed => RigidBodyBuilder::fixed(),
                Motion::Led(_) => RigidBodyBuilder::kinematic_position_based(),
                Motion::Dynamic {
                    mass_kg,
                    linear_velocity,
                } => {
                    collider = collider.mass_properties(body.shape.mass_properties(*mass_kg));
                    let builder = RigidBodyBuilder::dynamic()
                        .linvel(*linear_velocity)
                        .ccd_enabled(true);
                    if settling {
                        builder.linear_damping(0.3).angular_damping(2.0)
                    } else {
                        builder
                    }
                }
            };
            let (handle, _) = world.insert(builder.pose(rapier_pose(&body.pose)), collider);
            handles.push(handle);
            if matches!(body.motion, Motion::Led(_)) {
                led.push((handle, index, None));
            }
        }
        Self {
            world,
            handles,
            led,
        }
    }

    /// Takes one step: the `step`-th of `count` of frame interval `interval`, from 0.
    fn step(&mut self, bodies: &[Body], interval: u32, step: u32, count: u32) {
        let share = (step + 1) as f32 / count as f32;
        for (handle, body, limb) in &self.led {
            let Motion::Led(led) = &bodies[*body].motion else {
                continue;
            };
            let way = limb.map_or(&led.way, |limb| &led.limbs[limb].way);
            if let Some(from) = way.get(interval as usize) {
                let to = way.get(interval as usize + 1).unwrap_or(from);
                let now = Pose {
                    position: from.position.lerp(to.position, share),
                    rotation: from.rotation.lerp(to.rotation, share),
                };
                self.world.bodies[*handle].set_next_kinematic_position(rapier_pose(&now));
            }
        }
        self.world.step();
    }

    fn pose(&self, index: usize) -> Pose {
        let position = self.world.bodies[self.handles[index]].position();
        Pose {
            position: position.translation,
            rotation: position.rotation.normalize(),
        }
    }

    fn check_finite(&self, bodies: &[Body]) -> Result<(), PhysicsError> {
        for (index, body) in bodies.iter().enumerate() {
            let pose = self.pose(index);
            if !pose.position.is_finite() || !pose.rotation.is_finite() {
                return Err(PhysicsError::Diverged { id: body.id });
            }
        }
        Ok(())
    }

    /// Impulse, N·s, of the last step of every touching pair, by ids.
    fn impulses(&self) -> BTreeMap<[u32; 2], f32> {
        let mut impulses = BTreeMap::new();
        for pair in self.world.narrow_phase.contact_pairs() {
            let impulse = pair.total_impulse_magnitude();
            if impulse > 0.0 {
                let id = |handle: ColliderHandle| self.world.colliders[handle].user_data as u32;
                let mut ids = [id(pair.collider1), id(pair.collider2)];
                ids.sort_unstable();
                *impulses.entry(ids).or_insert(0.0) += impulse;
            }
        }
        impulses
    }
}

/// How long to simulate, and what to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Physics steps of one frame.
    pub steps_per_frame: u32,
    /// Frames to simulate.
    pub intervals: u32,
    /// Record the poses after every step too.
    pub keep_steps: bool,
}

/// Simulates the bodies from where they are.
pub fn simulate(bodies: &[Body], gravity: Vec3, timing: Timing) -> Result<Recording, PhysicsError> {
    let mut running = Running::new(bodies, gravity, false);
    let index_of: BTreeMap<u32, usize> = bodies
        .iter()
        .enumerate()
        .map(|(index, body)| (body.id, index))
        .collect();
    let mut frames: Vec<Vec<Pose>> = bodies.iter().map(|b| vec![b.pose]).collect();
    let mut steps = if timing.keep_steps {
        frames.clone()
    } else {
        Vec::new()
    };
    let mut contacts = Vec::new();
    let mut touching: BTreeMap<[u32; 2], f32> = BTreeMap::new();
    for interval in 0..timing.intervals {
        let mut now: BTreeMap<[u32; 2], (f32, Vec3)> = BTreeMap::new();
        for step in 0..timing.steps_per_frame {
            running.step(bodies, interval, step, timing.steps_per_frame);
            running.check_finite(bodies)?;
            for (index, poses) in steps.iter_mut().enumerate() {
                poses.push(running.pose(index));
            }
            for (ids, impulse) in running.impulses() {
                let [first, second] = ids.map(|id| index_of[&id]);
                let entry = now.entry(ids).or_insert_with(|| {
                    let pose = running.pose(first);
                    let other_pose = running.pose(second);
                    let other = &bodies[second];
                    let position = bodies[first]
                        .distance(&pose, other, &other_pose, interval as usize, 0.1)
                        .map_or(pose.position, |(_, point)| point);
                    (0.0, position)
                });
                entry.0 += impulse;
            }
        }
        for (index, poses) in frames.iter_mut().enumerate() {
            poses.push(running.pose(index));
        }
        for (ids, (impulse, position)) in &now {
            if !touching.contains_key(ids) {
                contacts.push(Contact {
                    frame: interval,
                    objects: *ids,
                    position: *position,
                    impulse: *impulse,
                });
            }
        }
        touching = now.into_iter().map(|(ids, (i, _))| (ids, i)).collect();
    }
    Ok(Recording {
        frames,
        steps,
        contacts,
    })
}

/// Lets the bodies fall and come to rest, without bounce and with damping, for at most
/// `limit_secs`. Poses of all bodies, in the order given; `None` when something still moves.
pub fn settle(
    bodies: &[Body],
    gravity: Vec3,
    limit_secs: f32,
) -> Result<Option<Vec<Pose>>, PhysicsError> {
    let mut running = Running::new(bodies, gravity, true);
    let limit = (limit_secs * STEPS_PER_SECOND as f32) as u32;
    let mut quiet = 0;
    for _ in 0..limit {
        running.world.step();
        running.check_finite(bodies)?;
        let moves = running.handles.iter().any(|handle| {
            let body = &running.world.bodies[*handle];
            body.linvel().length() > REST_SPEED || body.angvel().length() > REST_SPIN
        });
        quiet = if moves { 0 } else { quiet + 1 };
        if quiet >= REST_STEPS {
            return Ok(Some((0..bodies.len()).map(|i| running.pose(i)).collect()));
        }
    }
    Ok(None)
}
