-- Projects of a lane take turns at dispatch; one that weighs more gets so many times as much while others wait.
ALTER TABLE projects ADD COLUMN weight smallint NOT NULL DEFAULT 1 CHECK (weight BETWEEN 1 AND 100);
