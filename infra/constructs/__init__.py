"""What the stacks are built of: each wraps one AWS service with the choices this project always makes."""
