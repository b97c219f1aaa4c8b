//! A small least-recently-used store.

use std::sync::Arc;

/// Shared values by id, the oldest dropped first once their sizes exceed the budget.
pub(crate) struct Cache<T> {
    /// Oldest use first.
    entries: Vec<(String, Arc<T>, u64)>,
    bytes: u64,
    budget: u64,
}

impl<T> Cache<T> {
    pub(crate) fn new(budget: u64) -> Self {
        Self {
            entries: Vec::new(),
            bytes: 0,
            budget,
        }
    }

    pub(crate) fn get(&mut self, id: &str) -> Option<Arc<T>> {
        let index = self.entries.iter().position(|(known, ..)| known == id)?;
        let entry = self.entries.remove(index);
        let value = entry.1.clone();
        self.entries.push(entry);
        Some(value)
    }

    /// Adds a value and returns the one to use: when another thread was first, theirs.
    pub(crate) fn insert(&mut self, id: &str, value: Arc<T>, bytes: u64) -> Arc<T> {
        if let Some(first) = self.get(id) {
            return first;
        }
        while self.bytes + bytes > self.budget && !self.entries.is_empty() {
            self.bytes -= self.entries.remove(0).2;
        }
        self.bytes += bytes;
        self.entries.push((id.to_owned(), value.clone(), bytes));
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn least_recently_used_goes_first() {
        let mut cache = Cache::new(10);
        cache.insert("a", Arc::new(1), 4);
        cache.insert("b", Arc::new(2), 4);
        assert_eq!(*cache.get("a").unwrap(), 1);
        cache.insert("c", Arc::new(3), 4);
        assert!(cache.get("b").is_none());
        assert!(cache.get("a").is_some() && cache.get("c").is_some());
        cache.insert("huge", Arc::new(4), 100);
        assert!(cache.get("huge").is_some() && cache.get("a").is_none());
    }

    #[test]
    fn the_first_value_of_an_id_stays() {
        let mut cache = Cache::new(10);
        let first = cache.insert("a", Arc::new(1), 1);
        let second = cache.insert("a", Arc::new(2), 1);
        assert!(Arc::ptr_eq(&first, &second));
    }
}
