"""Fig. 4 of Gu et al. 2016 with our algorithms and others': episodes to success, task by task."""
