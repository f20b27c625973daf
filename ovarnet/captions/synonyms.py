"""Everyday words for the COCO categories, and fixed expressions whose first word is no attribute.

A word is listed when most people would draw the category's box around what it names ("van" is left
out: COCO says car or truck). Only singular forms stand here; plurals and the other English spelling
are made by `inflection`. Own judgement, edited by hand.
"""

CATEGORY_SYNONYMS = {
    "person": """
        man woman boy girl child kid people men women children lady gentleman guy adult baby babies
        toddler infant teenager teen youth youngster kiddo human someone somebody male female mother
        father mom mum dad parent grandmother grandfather grandma grandpa son daughter brother
        sister sibling twin couple friend student teacher worker employee boss waiter waitress chef
        cook baker barber farmer soldier policeman policewoman officer cop guard fireman firefighter
        doctor nurse dentist pilot driver rider biker cyclist bicyclist motorcyclist skateboarder
        skater snowboarder skier surfer windsurfer swimmer diver climber hiker jogger runner walker
        dancer singer musician guitarist drummer performer artist painter photographer player
        athlete batter pitcher catcher umpire referee goalie goalkeeper quarterback coach golfer
        boxer wrestler cricketer footballer gymnast jockey cowboy cowgirl bride groom bridesmaid
        groomsman businessman businesswoman vendor customer shopper tourist visitor passenger
        pedestrian commuter spectator onlooker bystander fan teammate opponent competitor contestant
        racer kayaker canoeist rower sailor fisherman hunter camper backpacker clown magician model
        actor actress celebrity bartender clerk skydiver wakeboarder waterskier paraglider trainer
        instructor owner neighbor grandchild granddaughter grandson husband wife boyfriend
        girlfriend villager monk nun priest president king queen prince princess
    """,
    "bicycle": "bike pushbike pedal_bike mountain_bike bmx_bike tandem road_bike",
    "car": "automobile sedan taxi cab taxicab suv jeep convertible minivan hatchback limousine "
    "limo race_car police_car sports_car racecar",
    "motorcycle": "motorbike moped dirt_bike motor_bike motor_cycle motor_scooter vespa dirtbike",
    "airplane": "plane aeroplane jet aircraft airliner jetliner biplane seaplane jumbo_jet "
    "fighter_jet passenger_jet",
    "bus": "busses school_bus double_decker double_decker_bus minibus trolleybus",
    "train": "locomotive subway_train steam_engine passenger_train freight_train",
    "truck": "lorry pickup pickup_truck fire_truck firetruck fire_engine dump_truck garbage_truck "
    "tow_truck semi_truck",
    "boat": "canoe kayak sailboat rowboat motorboat speedboat ship ferry yacht dinghy gondola "
    "fishing_boat sailing_boat paddle_boat raft",
    "traffic light": "traffic_signal stoplight stop_light traffic_lamp",
    "fire hydrant": "hydrant",
    "bench": "park_bench pew",
    "bird": "seagull gull pigeon duck goose geese swan parrot eagle hawk owl crow sparrow robin "
    "chicken rooster hen pelican penguin "
    "flamingo ostrich peacock heron turkey duckling parakeet",
    "cat": "kitten kitty tabby tomcat",
    "dog": "puppy puppies pup doggy doggie canine hound greyhound poodle retriever "
    "golden_retriever labrador lab terrier bulldog "
    "collie beagle husky dalmatian dachshund chihuahua pug mutt pooch pitbull rottweiler doberman "
    "spaniel corgi "
    "german_shepherd border_collie",
    "horse": "pony foal colt stallion mare",
    "sheep": "lamb ram ewe",
    "cow": "bull calf cattle ox oxen steer",
    "bear": "polar_bear grizzly black_bear brown_bear panda_bear bear_cub",
    "elephant": "baby_elephant",
    "backpack": "rucksack knapsack back_pack",
    "umbrella": "parasol",
    "handbag": "purse hand_bag clutch_bag",
    "tie": "necktie bow_tie bowtie neck_tie",
    "suitcase": "luggage briefcase baggage",
    "frisbee": "flying_disc disc",
    "skis": "ski",
    "snowboard": "snow_board",
    "sports ball": "ball tennis_ball soccer_ball beach_ball golf_ball rugby_ball",
    "baseball bat": "bat",
    "baseball glove": "catcher_mitt baseball_mitt mitt",
    "skateboard": "skate_board longboard",
    "surfboard": "surf_board boogie_board",
    "tennis racket": "racket racquet tennis_racquet",
    "wine glass": "wineglass wine_goblet champagne_glass",
    "cup": "mug teacup coffee_cup",
    "couch": "sofa settee loveseat",
    "potted plant": "houseplant pot_plant house_plant",
    "dining table": "table dinner_table kitchen_table",
    "tv": "television television_set tv_set telly",
    "laptop": "laptop_computer notebook_computer",
    "mouse": "computer_mouse",
    "remote": "remote_control tv_remote wii_remote",
    "keyboard": "computer_keyboard",
    "cell phone": "cellphone mobile_phone smartphone phone iphone mobile",
    "microwave": "microwave_oven",
    "oven": "stove",
    "refrigerator": "fridge",
    "book": "paperback novel textbook",
    "clock": "alarm_clock wall_clock",
    "teddy bear": "teddy stuffed_bear",
    "hair drier": "hair_dryer hairdryer blow_dryer blowdryer",
    "donut": "doughnut",
    "hot dog": "hotdog frankfurter",
    "sandwich": "burger hamburger cheeseburger sub_sandwich",
    "knife": "butter_knife",
    "cake": "cupcake birthday_cake",
}

# Read as one noun: the first word does not say how the thing looks.
FIXED_EXPRESSIONS = """
    dirt_bike dirt_biker dirt_biking high_school high_five high_heel high_jump high_chair high_rise
    long_jump light_pole light_bulb light_post light_fixture light_switch light_saber street_light
    stop_light orange_juice orange_slice little_league big_wheel big_ben white_water_rafting
    white_water_raft white_water_rafter wide_receiver golden_retriever golden_gate_bridge
    rubber_band iron_man heavy_metal metal_detector long_way long_time short_time short_distance
    long_distance parking_lot parking_garage parking_space running_shoe running_track
    washing_machine swimming_pool swimming_trunk dining_room living_room waiting_room changing_room
    fishing_rod fishing_pole fishing_line sewing_machine shopping_cart shopping_bag shopping_mall
    shopping_basket frying_pan ironing_board sleeping_bag walking_stick walking_path cutting_board
    baking_sheet baking_tray drinking_fountain drinking_straw chewing_gum writing_desk
    reading_glasses diving_board riding_boot hiking_boot hiking_trail measuring_tape wrapping_paper
    vending_machine steering_wheel watering_can boxing_glove skating_rink bowling_alley bowling_pin
    climbing_wall playing_card cooking_pot serving_tray hot_dog hot_air_balloon hot_tub
    stuffed_animal french_fry soft_drink hard_hat polar_bear red_panda bald_eagle pick-up_truck
    guinea_pig paper_towel rubber_duck
"""
