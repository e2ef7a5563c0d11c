//! Doubly linked lists over the numbers `0..n`, from which a number is taken and put back in constant time.
//!
//! A number that was taken remembers its neighbours. If numbers are put back in the reverse order of their taking, the
//! neighbours are right again: Knuth, "Dancing links", 2000.

/// Several lists; each number is on exactly one of them, in ascending order.
#[derive(Debug)]
pub(super) struct Links {
    next: Vec<u32>,
    previous: Vec<u32>,
    numbers: u32,
}

impl Links {
    /// Lists `0..lists`; the k-th item is on which list number k goes.
    pub(super) fn new(lists: u32, of: impl ExactSizeIterator<Item = u32>) -> Self {
        let numbers = u32::try_from(of.len()).expect("operations are counted in a u32");
        // The last `lists` places are the heads; each closes its list to a ring.
        let mut links =
            Links { next: (0..numbers + lists).collect(), previous: (0..numbers + lists).collect(), numbers };
        for (number, list) in (0..numbers).zip(of) {
            let head = numbers + list;
            let last = links.previous[head as usize];
            links.previous[number as usize] = last;
            links.next[number as usize] = head;
            links.next[last as usize] = number;
            links.previous[head as usize] = number;
        }
        links
    }

    /// The first number of a list.
    pub(super) fn first(&self, list: u32) -> Option<u32> {
        self.after(self.numbers + list)
    }

    /// The number after `number`, which must be on its list.
    pub(super) fn after(&self, number: u32) -> Option<u32> {
        let next = self.next[number as usize];
        (next < self.numbers).then_some(next)
    }

    /// Takes a number from its list.
    pub(super) fn take(&mut self, number: u32) {
        let (previous, next) = (self.previous[number as usize], self.next[number as usize]);
        self.next[previous as usize] = next;
        self.previous[next as usize] = previous;
    }

    /// Puts back the number that was taken last of those not yet put back.
    pub(super) fn put_back(&mut self, number: u32) {
        let (previous, next) = (self.previous[number as usize], self.next[number as usize]);
        self.next[previous as usize] = number;
        self.previous[next as usize] = number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(links: &Links, list: u32) -> Vec<u32> {
        std::iter::successors(links.first(list), |number| links.after(*number)).collect()
    }

    #[test]
    fn what_was_taken_is_put_back_in_its_place() {
        let mut links = Links::new(3, [0, 1, 0, 0, 1].into_iter());
        assert_eq!([list(&links, 0), list(&links, 1), list(&links, 2)], [vec![0, 2, 3], vec![1, 4], vec![]]);
        for number in [2, 0, 3, 4] {
            links.take(number);
        }
        assert_eq!([list(&links, 0), list(&links, 1)], [vec![], vec![1]]);
        for number in [4, 3, 0, 2] {
            links.put_back(number);
        }
        assert_eq!([list(&links, 0), list(&links, 1)], [vec![0, 2, 3], vec![1, 4]]);
    }
}
